"""The model card (Mitchell et al. 2019): who and what a model was made from, how good it is, what it is for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from stages.training.export import HalfDifference

_SHARED_ENCODER = "One encoder for all and a decoder for each identity"
_BUILT = {"liae": "One encoder and one decoder for all, told apart by the inters between them"}
"""How a family's network is built, where it is not as most are."""

_TAGS = ["face-replacement", "autoencoder", "consent-required"]

_USE = """\
## Intended use

One person's likeness put on another person's performance, for film and video work and for research, where both have
a consent record that allows it. Apply it to aligned crops as the pipeline makes them: `conversion` does.

## Limits

- It knows these people only, in the light, poses and expressions of their footage. Figures below are of
  reconstruction on held-out frames of the same footage; what a swap is worth stands in its evaluation report.
- It serves no purpose that the consent records do not name, and ends with them: a withdrawn or expired record means
  that the model must not be used any more.
- It must not be used to pass altered footage for unaltered, nor to identify, rate or watch people.
"""


def model_card(facts: Mapping[str, Any], metrics: Mapping[str, Mapping[str, float]]) -> str:
    """Markdown with YAML front matter, the same text for the same facts.

    Args:
        facts: all that model.json says.
        metrics: of each identity on held-out faces: ``psnr`` (dB), ``ssim``, ``faces``.
    """
    identities, companions = list(facts["identities"]), list(facts["companions"])
    everyone = [*identities, *companions]
    front = {
        "library_name": "onnx",
        "pipeline_tag": "image-to-image",
        "license": "other",
        "license_name": "bound-to-consent-records",
        "tags": _TAGS,
    }
    ended = facts["ended"]
    sections = [
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n",
        f"# Swap model of {' and '.join(identities)}\n",
        f"{_BUILT.get(facts['settings']['network']['family'], _SHARED_ENCODER)}, {facts['parameters']:,} parameters. A "
        f"network takes an aligned crop of {facts['input_size']} pixels (RGB, 0..1) and gives colour and mask of "
        f"{facts['output_size']} pixels. `<identity>.onnx` puts on that identity in float32, `<identity>.fp16.onnx` "
        "in float16; `model.safetensors` holds all weights, `model.json` every fact.\n",
        "## Files\n",
        *_halves(facts["onnx"]["fp16"]),
        _table(("file", "SHA-256"), sorted(facts["files"].items())),
        _USE,
        "## People and consent\n",
        _table(("identity", "consent record"), ((name, facts["consent"][name]) for name in everyone)),
        *_company(companions),
        "## Data\n",
        _table(
            ("identity", "face set", "SHA-256"),
            ((name, clip, sha256) for name in everyone for clip, sha256 in facts["data"][name].items()),
        ),
        "## Figures\n",
        "On held-out faces, inside the mask.\n",
        _table(
            ("identity", "PSNR, dB", "SSIM", "faces"),
            (
                (name, f"{metrics[name]['psnr']:.2f}", f"{metrics[name]['ssim']:.3f}", metrics[name]["faces"])
                for name in everyone
            ),
        ),
        *_origins({"shared base": facts["base"], "recogniser of the identity term": facts["recogniser"]}),
        "## Training\n",
        f"Preset `{facts['preset']}`, seed {facts['seed']}, {facts['device']}, {facts['threads']} threads, batch "
        f"{facts['batch']}; ended at iteration {ended['iteration']} ({ended['reason']}), {facts['setbacks']} setbacks. "
        f"Code SHA-256 `{facts['code_sha256']}`.\n",
        f"```yaml\n{yaml.safe_dump(facts['settings'], sort_keys=True)}```\n",
        "## Versions\n",
        _table(("of", "version"), sorted(facts["versions"].items())),
    ]
    return "\n".join(sections)


def _origins(hashes: Mapping[str, str | None]) -> list[str]:
    """What others made that went into the training, by its hash; None for what did not."""
    there = [(name, sha256) for name, sha256 in hashes.items() if sha256 is not None]
    if not there:
        return ["## Started from\n", "Weights by chance; no other network had a say.\n"]
    return ["## Started from\n", _table(("what", "SHA-256"), there)]


def _halves(told: Mapping[str, Any]) -> list[str]:
    """Which networks float16 does not do for, and why; nothing if it does for all."""
    lines = []
    for identity, difference in told["difference_from_torch"].items():
        half = HalfDifference(**difference)
        if not half.good:
            far = f"it is off by {half.nearly_all:.3f} of values 0..1" if half.finite and half.nearly_all else ""
            why = far or "values in it leave float16's range"
            lines.append(f"- **Do not use `{identity}.fp16.onnx`**: {why}. Use `{identity}.onnx`.")
    return ["\n".join(lines) + "\n"] if lines else []


def _company(companions: Sequence[str]) -> list[str]:
    if not companions:
        return []
    return [f"Of these, {' and '.join(companions)} taught the encoder only: the model can not draw them.\n"]


def _table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *(list(row) for row in rows)]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines)
