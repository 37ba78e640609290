"""Options of a method: a study's mapping, checked against the method's own dataclass."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from amb.errors import InputError

OptionsT = TypeVar("OptionsT")


def read_options(cls: type[OptionsT], options: Mapping[str, Any], method: str) -> OptionsT:
    """Turn a study's options into a builder's dataclass, refusing what it does not know.

    Args:
        cls: The builder's frozen dataclass; its annotations are checked.
        options: The study's ``methods.<name>.options``.
        method: Name for the message.

    Returns:
        An instance of ``cls``.

    Raises:
        InputError: A key is unknown or a value has another type than the dataclass says.
    """
    hints = typing.get_type_hints(cls)
    known = [field.name for field in dataclasses.fields(typing.cast(Any, cls))]
    for key, value in options.items():
        if key not in known:
            raise InputError(f"method {method}", f"options.{key}", value, f"only {known}")
        if not _fits(value, hints[key]):
            allowed = _in_words(hints[key])
            raise InputError(f"method {method}", f"options.{key}", value, allowed)
    return cls(**options)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a YAML value is of an option's type: a scalar, ``Literal``, list or union of them."""
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return any(value == choice and type(value) is type(choice) for choice in hint.__args__)
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, choice) for choice in hint.__args__)
    if origin is list:
        return type(value) is list and all(_fits(item, hint.__args__[0]) for item in value)
    if hint is float:
        return type(value) in (int, float)
    return value is None if hint is type(None) else type(value) is hint


def _in_words(hint: Any) -> str:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return "one of " + ", ".join(str(choice) for choice in hint.__args__)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_in_words(choice) for choice in hint.__args__)
    if origin is list:
        return f"a list, each {_in_words(hint.__args__[0])}"
    return "nothing" if hint is type(None) else f"a value of type {hint.__name__}"
