"""YAML and JSON files that people write or send, checked against our closed schemas.

A message names the file, the key, the value found and what is allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from referencing import Registry, Resource

from amb.errors import InputError

PACKAGE = Path(__file__).resolve().parent
# Both are safe and read the same; that of libyaml takes a tenth of the time.
_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
        schema_name: ``study``, ``presets`` or ``claims``.

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
    validate(content, schema(schema_name), file)
    checked: dict[str, Any] = content
    return checked


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
    validate(content, schema(schema_name), file)
    checked: dict[str, Any] = content
    return checked


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a key is given twice among {', '.join(key for key, _ in pairs)}")
    return found


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is not a number of JSON")


@cache
def schema(name: str) -> dict[str, Any]:
    """Return one of our schemas by its name, read once; it is not to be changed."""
    text = schema_path(name).read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.load(text, Loader=_FAST_LOADER)
    return content


@cache
def _shared_definitions() -> Registry[Any]:
    """Let one schema refer to a definition of another: ``study.schema.yaml#/$defs/…``."""
    file = schema_path("study")
    registry: Registry[Any] = Registry()
    resource: Resource[Any] = Resource.from_contents(schema("study"))
    shared: Registry[Any] = registry.with_resource(file.name, resource)
    return shared


def validate(content: Any, schema: dict[str, Any], file: Path) -> None:
    """Check content against a schema.

    Args:
        content: What a YAML file holds.
        schema: A JSON schema.
        file: What to name in messages.

    Raises:
        InputError: It breaks the schema.
    """
    validator = _Validator(schema, registry=_shared_definitions())
    errors = sorted(validator.iter_errors(content), key=_error_order)
    if errors:
        raise _readable(file, errors[0])


def _whole_pattern(
    validator: Any, pattern: str, instance: Any, schema: dict[str, Any]
) -> Iterator[jsonschema.ValidationError]:
    """Check a pattern as JSON schemas mean it: in Python's, ``$`` lets a last line break pass."""
    strict = f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern
    if isinstance(instance, str) and not re.search(strict, instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {"pattern": _whole_pattern}
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
