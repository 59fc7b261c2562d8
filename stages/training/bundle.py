"""The swap model's folder: weights, facts, card, networks, curve, preview, film of the training, metrics."""

from __future__ import annotations

import csv
import logging
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from stages.artifacts.files import sha256_of, write_facts
from stages.training.augment import plain
from stages.training.card import model_card
from stages.training.checkpoint import save_tensors
from stages.training.export import (
    HALF_TOLERANCE,
    OPSET,
    TOLERANCE,
    difference_from_torch,
    difference_of_half,
    export,
    export_half,
)
from stages.training.faces import Faces
from stages.training.judge import evenly, held_out_metrics
from stages.training.networks import Network, build_network
from stages.training.networks.gains import folded
from stages.training.preview import preview_rows, sheet_of, write_sheet
from stages.training.settings import NetworkSettings, PresetSettings
from stages.training.state import State
from stages.training.time_lapse import TimeLapse

log = logging.getLogger(__name__)

_NETWORKS = (".safetensors", ".onnx")
"""Of these files model.json has the hashes: with it, its credential names the weights too."""

_TRIED = 8
"""Held-out faces of each identity that the exported networks are compared on."""


def write_bundle(
    folder: Path,
    state: State,
    held_out: Mapping[str, Faces],
    preset: PresetSettings,
    facts: Mapping[str, Any],
    time_lapse: TimeLapse,
    *,
    threads: int,
) -> None:
    """Write every file of the swap model into an existing folder; of companions their figures and facts only.

    Args:
        folder: where to.
        state: trained; the averaged weights are what is kept.
        held_out: faces of each identity, for metrics, preview and the comparison of torch with onnxruntime.
        preset: how it was trained.
        facts: what model.json says beside what is found here; ``companions`` names those among ``held_out``.
        time_lapse: with what it kept on the way.
        threads: of onnxruntime in the comparison.

    Raises:
        Problem: an exported network does not agree with torch; the film can not be written.
    """
    sizes = preset.network
    network = _without_gains(state.average, list(held_out), sizes)
    companions = facts["companions"]
    identities = [name for name in held_out if name not in companions]
    weights = _weights_of(network, identities, sizes)
    save_tensors(weights, folder / "model.safetensors")
    crops = torch.cat(
        [
            plain(faces.take(evenly(len(faces), _TRIED)), sizes.input_size, sizes.output_size).crops
            for faces in held_out.values()
        ]
    )
    # on the CPU, so that the file is the same wherever the network was trained
    exported, crops = deepcopy(network).cpu(), crops.cpu()
    differences, halves = {}, {}
    for name in identities:
        path, half = folder / f"{name}.onnx", folder / f"{name}.fp16.onnx"
        export(exported, name, sizes.input_size, path)
        export_half(path, half)
        differences[name] = difference_from_torch(exported, name, crops, path, threads=threads)
        halves[name] = difference_of_half(exported, name, crops, half, threads=threads)
        if not halves[name].good:
            log.warning("%s: float16 does not do for this network (%s): use %s", half.name, halves[name], path.name)
    networks = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.suffix in _NETWORKS}
    write_curve(folder / "curves.csv", state.progress.curve)
    rows = preview_rows(network, held_out, sizes, companions)
    write_sheet(sheet_of(rows), folder / "preview.png")
    time_lapse.write(folder / "time-lapse.mp4", state.progress, rows)
    metrics = held_out_metrics(network, held_out, sizes)
    write_facts(folder / "metrics.json", {"held_out": metrics})
    all_facts = {
        **facts,
        "identities": identities,
        "input_size": sizes.input_size,
        "output_size": sizes.output_size,
        "stored_size": preset.stored_size,
        "batch": preset.batch,
        "parameters": sum(tensor.numel() for tensor in weights.values()),
        "iterations": state.progress.iteration,
        "setbacks": state.progress.setbacks,
        "files": networks,
        "onnx": {
            "opset": OPSET,
            "tolerance": TOLERANCE,
            "difference_from_torch": differences,
            "fp16": {
                "tolerance": HALF_TOLERANCE,
                "difference_from_torch": {name: asdict(half) for name, half in halves.items()},
            },
        },
    }
    write_facts(folder / "model.json", all_facts)
    (folder / "card.md").write_text(model_card(all_facts, metrics), encoding="utf-8")


def _without_gains(network: Network, identities: Sequence[str], settings: NetworkSettings) -> Network:
    """The same network with its gains, if it has any, in its kernels."""
    plain = build_network(identities, settings).to(next(network.parameters()).device)
    plain.load_state_dict(folded(network))
    return plain.to(memory_format=torch.channels_last)  # type: ignore[no-any-return, call-overload]


def _weights_of(network: Network, identities: Sequence[str], settings: NetworkSettings) -> dict[str, torch.Tensor]:
    """The weights that a network of these identities alone has: what is a companion's own stays behind."""
    with torch.device("meta"):
        names = build_network(identities, settings).state_dict().keys()
    whole = network.state_dict()
    return {name: whole[name].detach().cpu().contiguous() for name in names}


def write_curve(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """CSV with a column for everything that any row names; empty where a row does not."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in row.items()}
            for row in rows
        )
