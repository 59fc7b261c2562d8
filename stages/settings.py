"""params.yaml, validated: what there is (identities, clips, pairs, companions, swaps) and how each stage works."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path
from reprlib import Repr
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.alignment.settings import AlignmentSettings
from stages.compositing.settings import CompositingSettings
from stages.conversion.settings import ConversionSettings
from stages.dataset.settings import DatasetSettings
from stages.detection.settings import DetectionSettings
from stages.encoding.settings import EncodingSettings
from stages.evaluation.settings import EvaluationSettings
from stages.execution.settings import ExecutionSettings
from stages.extraction.settings import ExtractionSettings
from stages.problems import Problem, nearest
from stages.screening.settings import ScreeningSettings
from stages.training.settings import TrainingSettings

Item = TypeVar("Item")
Model = TypeVar("Model", bound=BaseModel)

_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxlong, _SHORT.maxother = 2, 60, 60, 60

NAME = r"[a-z0-9][a-z0-9_-]*"
Name = Annotated[str, StringConstraints(pattern=rf"^{NAME}$")]
"""Names become file names, DVC targets and parts of dotted settings: small letters, digits, '-' and '_'."""

_NAMED = ("identities", "performers", "performances", "truths", "clips", "pairs", "companions", "swaps")
"""Sections whose keys are names."""

_NAMING = ("identity", "a", "b", "pair", "source", "target", "clip", "truth", "performer", "performance")
"""Fields there whose value is one."""

NO_TRUTH = "none"
"""The truth of a swap whose right answer nobody knows."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Identity(_Entry):
    """One person. The consent record lies at data/consent/<name>.yaml."""

    reference: tuple[Path, ...] = Field(
        (),
        description="pictures of the person, to tell them from others. Without them detection takes a performer's "
        "dominant face, and refuses a real person's clips unless detection.unenrolled is warn",
    )


def _seconds(value: object) -> object:
    """Exact seconds from a number, a fraction "1001/30000" or a time "h:mm:ss.s"; a float means its decimals."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    parts = str(value).strip().split(":")
    try:
        exact = Fraction(0)
        for part in parts:
            exact = exact * 60 + Fraction(part)
    except (ValueError, ZeroDivisionError):
        raise ValueError('give seconds (12.5), a fraction ("1001/30000") or a time ("0:01:12.5")') from None
    return exact


Exact = Annotated[Fraction, BeforeValidator(_seconds)]


class Clip(_Entry):
    """One piece of footage of one identity."""

    identity: Name
    path: Path = Field(description="a video file, or a folder of numbered pictures")
    rate: Exact | None = Field(None, gt=0, le=1000, description='of a folder: pictures a second, 24 or "24000/1001"')
    pictures: str | None = Field(
        None, description="of a folder with several sequences: the names of one, # for its number: shot.#.png"
    )
    start: Exact = Field(
        Fraction(0), ge=0, description='seconds from the first picture to the part that is taken: 12.5 or "0:01:12.5"'
    )
    end: Exact | None = Field(None, gt=0, description="seconds from the first picture to where that part ends")
    every: int = Field(1, ge=1, le=1000, description="take each n-th frame of that part")
    held_out: bool = Field(False, description="keep the whole clip from training: it is only measured on")

    @model_validator(mode="after")
    def _has_an_extent(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"the clip ends at {self.end} s, before it starts at {self.start} s")
        if self.pictures is not None and self.pictures.count("#") != 1:
            raise ValueError("pictures needs one # where the number stands, as in shot.#.png")
        return self


class Pair(_Entry):
    """Two identities that share one swap model."""

    a: Name
    b: Name


class Companion(_Entry):
    """A further identity that learns under a pair's encoder; its likeness is never put on."""

    pair: Name
    identity: Name


class Swap(_Entry):
    """One direction of a pair applied to one clip of the target."""

    pair: Name
    source: Name = Field(description="the identity whose likeness is put on")
    target: Name = Field(description="the identity whose performance is kept")
    clip: Name = Field(description="the target's clip")
    truth: Name = Field(description="the rendered right answer of a swap between performers, else none")


class Truth(_Entry):
    """The right answer of a swap between performers: who, in whose performance."""

    performer: Name
    performance: Name


class Params(_Entry):
    """All of params.yaml."""

    identities: dict[Name, Identity]
    performers: dict[Name, dict[str, Any]] = Field({}, description="rendered people; validated by stages.rendering")
    performances: dict[Name, dict[str, Any]] = Field({}, description="rendered clips; validated by stages.rendering")
    truths: dict[Name, Truth] = {}
    clips: dict[Name, Clip]
    pairs: dict[Name, Pair]
    companions: dict[Name, Companion]
    swaps: dict[Name, Swap]
    extraction: ExtractionSettings
    screening: ScreeningSettings
    detection: DetectionSettings
    alignment: AlignmentSettings
    dataset: DatasetSettings
    training: TrainingSettings
    conversion: ConversionSettings
    compositing: CompositingSettings
    encoding: EncodingSettings
    evaluation: EvaluationSettings
    execution: ExecutionSettings = ExecutionSettings()

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for name, clip in self.clips.items():
            _known(f"clips.{name}.identity", clip.identity, self.identities)
        for name, pair in self.pairs.items():
            _known(f"pairs.{name}.a", pair.a, self.identities)
            _known(f"pairs.{name}.b", pair.b, self.identities)
            if pair.a == pair.b:
                raise _wrong(f"pairs.{name}", f"a pair needs two identities, both are '{pair.a}'; name another one")
        for name, companion in self.companions.items():
            self._check_companion(f"companions.{name}", companion)
        for name, truth in self.truths.items():
            _known(f"truths.{name}.performer", truth.performer, self.performers)
            _known(f"truths.{name}.performance", truth.performance, self.performances)
        for name, swap in self.swaps.items():
            self._check_swap(f"swaps.{name}", swap)
        return self

    def _check_companion(self, where: str, companion: Companion) -> None:
        _known(f"{where}.pair", companion.pair, self.pairs)
        _known(f"{where}.identity", companion.identity, self.identities)
        pair = self.pairs[companion.pair]
        if companion.identity in (pair.a, pair.b):
            others = [identity for identity in self.identities if identity not in (pair.a, pair.b)]
            raise _wrong(
                f"{where}.identity",
                f"'{companion.identity}' is of pair '{companion.pair}' itself; {nearest(companion.identity, others)}",
            )
        if list(self.companions.values()).count(companion) > 1:
            raise _wrong(where, f"'{companion.identity}' joins pair '{companion.pair}' twice; take one of the two out")

    def _check_swap(self, where: str, swap: Swap) -> None:
        _known(f"{where}.pair", swap.pair, self.pairs)
        _known(f"{where}.clip", swap.clip, self.clips)
        pair = self.pairs[swap.pair]
        if {swap.source, swap.target} != {pair.a, pair.b}:
            raise _wrong(where, f"source and target must be the two of pair '{swap.pair}': {pair.a} and {pair.b}")
        if self.clips[swap.clip].identity != swap.target:
            owner = self.clips[swap.clip].identity
            raise _wrong(f"{where}.clip", f"clip '{swap.clip}' shows '{owner}', not the target '{swap.target}'")
        if swap.truth != NO_TRUTH:
            _known(f"{where}.truth", swap.truth, self.truths)

    def clip(self, name: str) -> Clip:
        """Raises: Problem if there is no such clip."""
        return _item("clips", name, self.clips)

    def pair(self, name: str) -> Pair:
        """Raises: Problem if there is no such pair."""
        return _item("pairs", name, self.pairs)

    def companion(self, name: str) -> Companion:
        """Raises: Problem if there is no such companion."""
        return _item("companions", name, self.companions)

    def companions_of(self, pair: str) -> tuple[str, ...]:
        """The further identities of a pair, sorted: the order of params.yaml is nothing that DVC would notice."""
        return tuple(sorted(each.identity for each in self.companions.values() if each.pair == pair))

    def cast_of(self, pair: str) -> tuple[str, ...]:
        """All identities that learn under a pair's encoder: its two, then its companions.

        Raises:
            Problem: there is no such pair.
        """
        both = self.pair(pair)
        return (both.a, both.b, *self.companions_of(pair))

    def swap(self, name: str) -> Swap:
        """Raises: Problem if there is no such swap."""
        return _item("swaps", name, self.swaps)


PERFORMANCES = Path("data/performances")
TRUTHS = Path("data/truth")


def rendered_clips(params: Params) -> list[Path]:
    """The video files that the pipeline itself makes."""
    folders = [PERFORMANCES / name for name in params.performances] + [TRUTHS / name for name in params.truths]
    return [folder / "clip.mp4" for folder in folders]


def _item(section: str, name: str, items: dict[str, Item]) -> Item:
    if name not in items:
        raise Problem(f"there is no '{name}' in it", where=f"params.yaml, {section}", mend=nearest(name, list(items)))
    return items[name]


def _wrong(where: str, what: str) -> PydanticCustomError:
    return PydanticCustomError("likeness", "{where}: {what}", {"where": where, "what": what})


def _known(where: str, name: str, items: dict[str, Any]) -> None:
    if name not in items:
        raise _wrong(where, f"there is no '{name}'; {nearest(name, list(items))}")


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and validate the settings.

    Raises:
        Problem: the file is missing, no YAML, or has an unknown key, a wrong type or a name that leads nowhere; it
            names the field and, for a key, the nearest known one.
    """
    try:
        text = path.read_text(encoding="utf-8")
        raw = yaml.safe_load(text)
        _require_text_for_names(text, path)
    except FileNotFoundError:
        raise Problem("the settings are not there", where=path, mend="run from the project's folder") from None
    except (UnicodeDecodeError, yaml.YAMLError, YAMLError) as error:
        raise Problem(f"it is no YAML: {error}", where=path, mend="mend what it names; text is UTF-8") from error
    return parse(Params, raw, where=str(path))


def _require_text_for_names(text: str, path: Path) -> None:
    """DVC reads YAML 1.2, to which 08 is a number; of a key that is no text it makes no stage, and says nothing.

    Raises:
        Problem: a name is no text to it.
    """
    sections = YAML(typ="safe").load(text)
    for section in _NAMED if isinstance(sections, dict) else ():
        items = sections.get(section)
        for name, entry in items.items() if isinstance(items, dict) else ():
            fields = entry if isinstance(entry, dict) else {}
            for field, given in (("", name), *((f".{field}", fields.get(field, "")) for field in _NAMING)):
                if isinstance(given, int | float | date):
                    raise Problem(
                        f"'{given}' is a number to DVC, and no name",
                        where=f"{path}, {section}.{name}{field}",
                        mend="put it in quotes as it is meant: '08'",
                    )


def parse(model: type[Model], raw: object, *, where: str, described: str = "README.md") -> Model:
    """Validate raw settings; the first fault becomes a :class:`Problem` that names the field.

    Args:
        model: what they must be.
        raw: as read from YAML.
        where: the file.
        described: the page that tells what its fields mean.

    Raises:
        Problem: as said.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        faults = error.errors()
        # a misspelt key is a missing one, too: told is the one that names the nearest
        first = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
        raise _told(first, model, where, described) from error


def _told(fault: ErrorDetails, model: type[BaseModel], where: str, described: str) -> Problem:
    path = [str(part) for part in fault["loc"]]
    field = ".".join(path)
    if fault["type"] == "likeness":
        context = fault["ctx"]
        return Problem(context["what"], where=f"{where}, {context['where']}", mend="correct the name")
    if fault["type"] == "extra_forbidden":
        known = _fields_at(model, path[:-1])
        return Problem(f"unknown key '{path[-1]}'", where=f"{where}, {field}", mend=nearest(path[-1], known))
    if fault["type"] == "missing":
        return Problem("this key is missing", where=f"{where}, {field}", mend=f"add it; {described} describes it")
    said = fault["msg"].removeprefix("Value error, ")
    return Problem(
        f"{said} (it is {shortly(fault['input']):.60})",
        where=f"{where}, {field}" if field else where,
        mend=f"correct the value; {described} describes it",
    )


def shortly(value: object) -> str:
    """What a value is, for a message; of one that holds others many times over (YAML's aliases) not all of it."""
    return _SHORT.repr(value)


def _fields_at(model: type[BaseModel], path: list[str]) -> list[str]:
    """The known keys of the settings at ``path``, found by walking the model's fields."""
    here: Any = model
    for part in path:
        fields = getattr(here, "model_fields", None)
        if fields is None or part not in fields:
            continue  # the name of an entry in a dictionary: its model was reached with the dictionary
        here = model_in(fields[part].annotation)
    return list(getattr(here, "model_fields", {}))


def model_in(annotation: Any) -> Any:
    """The settings model within an annotation such as ``dict[Name, Clip]`` or ``X | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [model_in(part) for part in getattr(annotation, "__args__", ())]
    return next((part for part in found if part is not None), None)
