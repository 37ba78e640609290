"""The study: one YAML file, checked against a closed schema and resolved once.

A study holds the science. What it resolves to (defaults filled in) is hashed and stored with the
results; sections are hashed apart, so that an edit of the statistics does not retrain anything.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from amb.errors import InputError

DATA_DEFAULTS: dict[str, Any] = {
    "normalisation": "zscore",
    "max_pieces": 64,
    "largest_nonfinite_share": 0.05,
    "leakage_alarm": "off",
}
PACKAGE = Path(__file__).resolve().parent


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


@dataclass(frozen=True)
class TrainingSettings:
    """The training recipe; rates as AdamW takes them, patience in epochs.

    ``group_learning_rates`` is for methods whose parts train at rates of their own.

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
    plateau_factor: float = 0.5
    plateau_patience: int = 2
    matmul_precision: str = "medium"


@dataclass(frozen=True)
class MethodSettings:
    """One row of the tables: its builder, its options, its seeds, its training recipe."""

    name: str
    label: str
    builder: str
    seeds: tuple[int, ...]
    training: TrainingSettings
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StatisticsSettings:
    """What the comparison table tests: every row against ``reference``, Holm within the table."""

    reference: str
    alpha: float = 0.05
    metrics: tuple[str, ...] = ("mae", "corr", "acc7", "acc2_non0", "f1_non0")
    claims: str = "claims.yaml"


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
    """

    file: Path
    name: str
    description: str
    data: dict[str, Any]
    backbone: BackboneSettings
    methods: dict[str, MethodSettings]
    statistics: StatisticsSettings

    def resolved(self) -> dict[str, Any]:
        """Return the study with all defaults filled in, as plain JSON-able values."""
        return {
            "schema": 1,
            "name": self.name,
            "description": self.description,
            "data": self.data,
            "backbone": dataclasses.asdict(self.backbone),
            "methods": {
                name: {**dataclasses.asdict(method), "seeds": list(method.seeds)}
                for name, method in self.methods.items()
            },
            "statistics": {
                **dataclasses.asdict(self.statistics),
                "metrics": list(self.statistics.metrics),
            },
        }

    def training_view(self, method: str) -> dict[str, Any]:
        """Return what training one method depends on; seeds and other rows are not in it."""
        resolved = self.resolved()
        own = {k: v for k, v in resolved["methods"][method].items() if k not in ("label", "seeds")}
        return {"data": resolved["data"], "backbone": resolved["backbone"], "method": own}

    def claims_file(self) -> Path:
        """Return the path of the claims file that the study names."""
        return self.file.parent / self.statistics.claims


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON-able value in canonical form, in hexadecimal."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def schema_path(name: str) -> Path:
    """Return a schema's file: beside the workflow in a checkout, inside the package in a wheel."""
    packaged = PACKAGE / "schemas" / f"{name}.schema.yaml"
    return (
        packaged if packaged.exists() else PACKAGE.parent / "workflow" / "schemas" / packaged.name
    )


def load_checked_yaml(file: Path, schema_name: str) -> dict[str, Any]:
    """Read a YAML file and check it against one of our closed schemas.

    Args:
        file: The YAML file.
        schema_name: ``study`` or ``claims``.

    Returns:
        The file's content.

    Raises:
        InputError: The file is missing, is not YAML, has a key twice, or breaks the schema; the
            message names the key, the value found and what is allowed.
    """
    if not file.is_file():
        raise InputError(file, "file", "no such file", f"a {schema_name} file (YAML)")
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(file, "YAML", " ".join(str(error).split()), "a valid YAML file") from error
    _validate(content, _schema(schema_name), file)
    checked: dict[str, Any] = content
    return checked


def check_data_section(section: dict[str, Any], file: Path) -> None:
    """Check the ``data`` section of a study on its own.

    Args:
        section: The section.
        file: What to name in messages.

    Raises:
        InputError: It breaks the schema.
    """
    schema = _schema("study")
    _validate(section, {**schema["properties"]["data"], "$defs": schema["$defs"]}, file)


def load_checked_json(file: Path, schema_name: str) -> dict[str, Any]:
    """Read a JSON file of unknown origin and check it against one of our closed schemas.

    Args:
        file: The JSON file.
        schema_name: ``model``.

    Returns:
        The file's content.

    Raises:
        InputError: The file is missing, is not JSON (NaN and keys given twice are not), or breaks
            the schema.
    """
    if not file.is_file():
        raise InputError(file, "file", "no such file", f"a {schema_name} file (JSON)")
    try:
        content = json.loads(
            file.read_text(encoding="utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise InputError(file, "JSON", str(error)[:200], "a valid JSON file") from error
    _validate(content, _schema(schema_name), file)
    checked: dict[str, Any] = content
    return checked


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a key is given twice among {', '.join(key for key, _ in pairs)}")
    return found


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is not a number of JSON")


def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = yaml.safe_load(schema_path(name).read_text(encoding="utf-8"))
    return schema


def _validate(content: Any, schema: dict[str, Any], file: Path) -> None:
    validator = jsonschema.Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(content), key=_error_order)
    if errors:
        raise _readable(file, errors[0])


def load_study(file: str | Path) -> Study:
    """Read, check and resolve a study.

    Args:
        file: Path of the YAML file.

    Returns:
        The resolved study.

    Raises:
        InputError: The file breaks the schema, names an unknown reference row, or asks a row for
            too few seeds to test.
    """
    file = Path(file)
    content = load_checked_yaml(file, "study")
    first, count = content["seeds"]["first"], content["seeds"]["count"]
    methods = {
        name: _resolve_method(name, row or {}, content["training"], first, count)
        for name, row in content["methods"].items()
    }
    statistics = dict(content["statistics"])
    if statistics["reference"] not in methods:
        raise InputError(
            file, "statistics.reference", statistics["reference"], f"one of {', '.join(methods)}"
        )
    if "metrics" in statistics:
        statistics["metrics"] = tuple(statistics["metrics"])
    return Study(
        file=file,
        name=content["name"],
        description=content.get("description", ""),
        data={**DATA_DEFAULTS, **content["data"]},
        backbone=BackboneSettings(**content["backbone"]),
        methods=methods,
        statistics=StatisticsSettings(**statistics),
    )


def _resolve_method(
    name: str, row: dict[str, Any], training: dict[str, Any], first: int, count: int
) -> MethodSettings:
    return MethodSettings(
        name=name,
        label=row.get("label", name),
        builder=row.get("builder", name),
        seeds=tuple(range(first, first + row.get("seeds", count))),
        training=TrainingSettings(**{**training, **row.get("training", {})}),
        options=row.get("options", {}),
    )


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice, which YAML would silently overwrite."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def _error_order(error: jsonschema.ValidationError) -> tuple[bool, int]:
    return (error.validator != "additionalProperties", len(error.absolute_path))


def _readable(file: Path, error: jsonschema.ValidationError) -> InputError:
    """Turn a schema violation into the file, the key, the value found and what is allowed."""
    where = ".".join(str(part) for part in error.absolute_path) or "top level"
    schema = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        allowed = list(schema.get("properties", {}))
        unknown = [str(key) for key in error.instance if key not in allowed]
        return InputError(
            file, where, f"unknown key {', '.join(unknown)}", f"only {', '.join(allowed)}"
        )
    if error.validator == "required" and isinstance(error.instance, dict):
        required: Any = error.validator_value
        missing = [key for key in required if key not in error.instance]
        return InputError(file, where, f"no {', '.join(missing)}", f"key {', '.join(missing)}")
    description = schema.get("description", "")
    limits = error.message if error.validator in ("if", "allOf") else _limits(error)
    return InputError(file, where, error.instance, limits, description or None)


def _limits(error: jsonschema.ValidationError) -> str:
    words = {
        "enum": "one of",
        "type": "a value of type",
        "minimum": "a number of at least",
        "maximum": "a number of at most",
        "exclusiveMinimum": "a number above",
        "pattern": "text that matches",
        "minItems": "at least this many items:",
        "uniqueItems": "no item twice:",
    }
    value: Any = error.validator_value
    if error.validator == "oneOf" and all("required" in choice for choice in value):
        return "either " + " or ".join(", ".join(choice["required"]) for choice in value)
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    return f"{words.get(str(error.validator), error.validator)} {shown}"
