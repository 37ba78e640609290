"""The study: one YAML file, checked against a closed schema and resolved once.

A study holds the science. What it resolves to (defaults filled in) is hashed and stored with the
results; sections are hashed apart, so that an edit of the statistics does not retrain anything.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amb import checked_files
from amb.errors import InputError
from amb.presets import Preset, load_presets
from amb.search_space import TuningSettings, read_tuning

DATA_DEFAULTS: dict[str, Any] = {
    "normalisation": "zscore",
    "max_pieces": 64,
    "largest_nonfinite_share": 0.05,
    "leakage_alarm": "off",
}
CONTROLS = ("shuffled_audio", "shuffled_visual", "shuffled_text", "permuted_labels")
# Builders whose rows have a known answer: constants, and the label itself.
KNOWN_BUILDERS = ("mean_predictor", "majority_class", "label_oracle")
_HEARD_OR_SEEN = ("audio", "visual", "audio+visual")
# What each kind of corruption can act on; ``amb.evaluation.corruption`` says what it does there.
CORRUPTION_TARGETS: dict[str, tuple[str, ...]] = {
    "gaussian": _HEARD_OR_SEEN,
    "feature_dropout": _HEARD_OR_SEEN,
    "temporal_shuffle": _HEARD_OR_SEEN,
    "missing": (*_HEARD_OR_SEEN, "text", "audio+text", "visual+text"),
    "token_mask": ("text",),
    "embedding_noise": ("text",),
}
# The kinds whose level is a standard deviation; that of the others is a share, at most 1.
NOISE_KINDS = ("gaussian", "embedding_noise")


@dataclass(frozen=True)
class BackboneSettings:
    """Which pretrained language model, and how it is read.

    Reconstruction: pooling and the absence of dropout in a frozen backbone are our choices; the
    abstract does not fix them.
    """

    name: str
    layers: int | None = None
    pooling: str = "cls"
    frozen_dropout: bool = False


# Values that a recipe had before they could be chosen.
UNSAID = {"precision": "float32", "length_window": 1}


@dataclass(frozen=True)
class TrainingSettings:
    """The training recipe; rates as AdamW takes them, patience in epochs.

    ``group_learning_rates`` is for methods whose parts train at rates of their own; ``precision``
    is ``float32`` or ``bf16``; ``length_window`` is in batches (``amb.training.epoch_order``).

    Reconstruction: every value. The abstract states no hyper-parameter.
    """

    max_epochs: int
    patience: int = 10
    batch_size: int = 32
    learning_rate: float = 5e-4
    backbone_learning_rate: float = 5e-5
    group_learning_rates: dict[str, float] = field(default_factory=dict)
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    gradient_clip_value: float = 0.0
    plateau_factor: float = 0.5
    plateau_patience: int = 2
    matmul_precision: str = "medium"
    precision: str = "float32"
    length_window: int = 1

    def described(self) -> dict[str, Any]:
        """Return the recipe as plain JSON-able values, without ``UNSAID`` ones.

        Runs from before there was a choice keep their identity.
        """
        values = dataclasses.asdict(self)
        for name, default in UNSAID.items():
            if values[name] == default:
                del values[name]
        return values


@dataclass(frozen=True)
class MethodSettings:
    """One row of the tables: its builder, its options, its seeds, its training recipe.

    ``control`` is one of ``CONTROLS``: what the row's data have been deprived of, None for a row
    that trains on the data as they are.
    """

    name: str
    label: str
    builder: str
    seeds: tuple[int, ...]
    training: TrainingSettings
    options: dict[str, Any] = field(default_factory=dict)
    control: str | None = None

    @property
    def known_as(self) -> str | None:
        """The control that this row is, whose result must lie in a known range; None: none."""
        return self.control or (self.builder if self.builder in KNOWN_BUILDERS else None)

    def described(self) -> dict[str, Any]:
        """Return the row as plain JSON-able values."""
        return {
            **dataclasses.asdict(self),
            "seeds": list(self.seeds),
            "training": self.training.described(),
        }


@dataclass(frozen=True)
class StatisticsSettings:
    """What the comparison table tests: every row against ``reference``, Holm within the table.

    ``speed`` says whether training steps are timed, for claims of kind speed.
    """

    reference: str
    alpha: float = 0.05
    metrics: tuple[str, ...] = ("mae", "corr", "acc7", "acc2_non0", "f1_non0")
    claims: str = "claims.yaml"
    speed: bool = False


@dataclass(frozen=True)
class CorruptionEntry:
    """One line of the grid: a kind at all its levels, on each of its targets."""

    kind: str
    targets: tuple[str, ...]
    levels: tuple[float, ...]


@dataclass(frozen=True)
class CorruptionSettings:
    """The grid of corruptions that frozen checkpoints are tried under, on the test split only.

    ``draws`` is how often each random corruption is drawn; draws are averaged within a seed.

    Reconstruction: all of it; the noise protocol is not stated in the abstract.
    """

    draws: int
    grid: tuple[CorruptionEntry, ...]


@dataclass(frozen=True)
class Study:
    """A resolved study.

    Attributes:
        file: Where it was read from.
        name: Name of the study and of its results folder.
        description: One sentence for the report.
        data: The data section with ``DATA_DEFAULTS`` filled in; the reader's
            own options stand under the reader's name.
        backbone: The pretrained language model.
        methods: Rows by name, in table order.
        statistics: What is compared with what.
        tuning: How rows are tuned; None where they are not.
        corruption: The grid of corruptions, None where there is none.
    """

    file: Path
    name: str
    description: str
    data: dict[str, Any]
    backbone: BackboneSettings
    methods: dict[str, MethodSettings]
    statistics: StatisticsSettings
    tuning: TuningSettings | None = None
    corruption: CorruptionSettings | None = None

    def resolved(self) -> dict[str, Any]:
        """Return the study with all defaults filled in, as plain JSON-able values."""
        tuning = {"tuning": dataclasses.asdict(self.tuning)} if self.tuning else {}
        return {
            "schema": 1,
            "name": self.name,
            "description": self.description,
            "data": self.data,
            "backbone": dataclasses.asdict(self.backbone),
            "methods": {name: method.described() for name, method in self.methods.items()},
            "statistics": {
                **dataclasses.asdict(self.statistics),
                "metrics": list(self.statistics.metrics),
            },
            **tuning,
            **({"corruption": self.corruption_view()} if self.corruption else {}),
        }

    def corruption_view(self) -> dict[str, Any] | None:
        """Return the grid of corruptions as plain JSON-able values, None where there is none."""
        if self.corruption is None:
            return None
        grid = [
            {"kind": entry.kind, "targets": list(entry.targets), "levels": list(entry.levels)}
            for entry in self.corruption.grid
        ]
        return {"draws": self.corruption.draws, "grid": grid}

    def training_view(self, method: str) -> dict[str, Any]:
        """Return what training one method depends on; seeds and other rows are not in it."""
        described = self.methods[method].described()
        own = {k: v for k, v in described.items() if k not in ("label", "seeds")}
        backbone = dataclasses.asdict(self.backbone)
        return {"data": self.data, "backbone": backbone, "method": own}

    def control_rows(self) -> list[MethodSettings]:
        """Return the rows whose results must lie in a known range, in table order."""
        return [row for row in self.methods.values() if row.known_as]

    def compared(self) -> Study:
        """Return the study without its control rows: what tables and figures compare.

        A control's result is known in advance; as one more test it would only cost the others
        power, and it has a table of its own.
        """
        rows = {name: row for name, row in self.methods.items() if not row.known_as}
        return dataclasses.replace(self, methods=rows)

    def only(self, names: Collection[str]) -> Study:
        """Return the study with some of its rows alone, in table order."""
        rows = {name: row for name, row in self.methods.items() if name in names}
        return dataclasses.replace(self, methods=rows)

    def tuned_rows(self) -> list[str]:
        """Return the rows that are tuned: all that are no control, where the study tunes."""
        return list(self.compared().methods) if self.tuning else []

    def recipe_row(self, method: str) -> str | None:
        """Return the row whose tuned recipe a row trains with; None: the study's own recipe.

        A control trains with the recipe of the row that it controls: they are to differ by the
        control only.
        """
        if self.tuning is None or not self.tuning.apply:
            return None
        return next((name for name in self.tuned_rows() if method in self.rows_alike(name)), None)

    def rows_alike(self, method: str) -> list[str]:
        """Return a row and its controls: the control rows of its builder, options and training."""
        own = self.methods[method]
        recipe = (own.builder, own.options, own.training)
        controls = [
            row.name
            for row in self.methods.values()
            if row.control and (row.builder, row.options, row.training) == recipe
        ]
        return [method, *controls]

    def dataset(self) -> str | None:
        """Return the name of the study's data set; None for generated data."""
        options = self.data.get(self.data["reader"], {})
        return str(options["dataset"]) if "dataset" in options else None

    def claims_file(self) -> Path:
        """Return the path of the claims file that the study names."""
        return self.file.parent / self.statistics.claims


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON-able value in canonical form, in hexadecimal."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def check_data_section(section: dict[str, Any], file: Path) -> None:
    """Check the ``data`` section of a study on its own.

    Args:
        section: The section.
        file: What to name in messages.

    Raises:
        InputError: It breaks the schema.
    """
    schema = checked_files.schema("study")
    checked_files.validate(
        section, {**schema["properties"]["data"], "$defs": schema["$defs"]}, file
    )


def load_study(file: str | Path) -> Study:
    """Read, check and resolve a study.

    Args:
        file: Path of the YAML file.

    Returns:
        The resolved study.

    Raises:
        InputError: The file breaks the schema, names an unknown reference row, or corrupts what a
            kind of corruption does not act on.
    """
    file = Path(file)
    content = checked_files.load_checked_yaml(file, "study")
    first, count = content["seeds"]["first"], content["seeds"]["count"]
    presets = load_presets()
    methods = {}
    for name, row in content["methods"].items():
        preset = _preset_of(file, name, row or {}, presets)
        methods[name] = _resolve_method(name, row or {}, preset, content["training"], first, count)
    statistics = dict(content["statistics"])
    comparable = [name for name, row in methods.items() if not row.known_as]
    if statistics["reference"] not in comparable:
        allowed = f"one of {', '.join(comparable) or 'the rows that are no control (none here)'}"
        raise InputError(file, "statistics.reference", statistics["reference"], allowed)
    if "metrics" in statistics:
        statistics["metrics"] = tuple(statistics["metrics"])
    tuning = None
    if "tuning" in content:
        seeds = {seed for row in methods.values() for seed in row.seeds}
        tuning = read_tuning(file, content["tuning"], comparable, seeds)
    return Study(
        file=file,
        name=content["name"],
        description=content.get("description", ""),
        data={**DATA_DEFAULTS, **content["data"]},
        backbone=BackboneSettings(**content["backbone"]),
        methods=methods,
        statistics=StatisticsSettings(**statistics),
        tuning=tuning,
        corruption=_corruption(file, content.get("corruption")),
    )


def _corruption(file: Path, section: dict[str, Any] | None) -> CorruptionSettings | None:
    """Read the grid of corruptions; refuse what the schema cannot express readably."""
    if section is None:
        return None
    grid, seen = [], set()
    for place, line in enumerate(section["grid"]):
        entry = CorruptionEntry(
            line["kind"], tuple(line["targets"]), tuple(map(float, line["levels"]))
        )
        where = f"corruption.grid.{place}"
        for target in entry.targets:
            if target not in CORRUPTION_TARGETS[entry.kind]:
                allowed = f"one of {', '.join(CORRUPTION_TARGETS[entry.kind])} for {entry.kind}"
                raise InputError(file, f"{where}.targets", target, allowed)
            if (entry.kind, target) in seen:
                raise InputError(file, where, f"{entry.kind} of {target} twice", "it once")
            seen.add((entry.kind, target))
        if entry.kind not in NOISE_KINDS and max(entry.levels) > 1:
            allowed = f"at most 1: the level of {entry.kind} is a share"
            raise InputError(file, f"{where}.levels", max(entry.levels), allowed)
        grid.append(entry)
    return CorruptionSettings(section["draws"], tuple(grid))


def _preset_of(
    file: Path, name: str, row: dict[str, Any], presets: dict[str, Preset]
) -> Preset | None:
    """Return the preset that a row names, or that has the row's own name, if any.

    A row that names a builder and no preset has none.
    """
    wanted = row.get("preset")
    if wanted is None:
        return None if "builder" in row else presets.get(name)
    if wanted not in presets:
        raise InputError(file, f"methods.{name}.preset", wanted, f"one of {', '.join(presets)}")
    preset = presets[wanted]
    if row.get("builder", preset.builder) != preset.builder:
        allowed = f"{preset.builder}, the builder of preset {wanted}"
        raise InputError(file, f"methods.{name}.builder", row["builder"], allowed)
    return preset


def _resolve_method(
    name: str,
    row: dict[str, Any],
    preset: Preset | None,
    training: dict[str, Any],
    first: int,
    count: int,
) -> MethodSettings:
    """Fill in a row: what it says itself before its preset, and that before the study."""
    preset = preset or Preset(builder=name)
    recipe = {**training, **preset.training, **row.get("training", {})}
    return MethodSettings(
        name=name,
        label=row.get("label", preset.label or name),
        builder=row.get("builder", preset.builder),
        seeds=tuple(range(first, first + row.get("seeds", count))),
        training=TrainingSettings(**recipe),
        options={**preset.options, **row.get("options", {})},
        control=row.get("control"),
    )
