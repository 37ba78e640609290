"""Presets: rows of a study by name, with the hyper-parameters of the paper that they come from.

They are data, in ``config/presets/*.yaml``. What a row of a study says itself goes before its
preset, and the preset goes before what the study says for all rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from amb.checked_files import PACKAGE, load_checked_yaml
from amb.errors import InputError


@dataclass(frozen=True)
class Preset:
    """A named row.

    Attributes:
        builder: The file in ``baselines/`` that builds it, or ``amb``.
        label: Name of the row in tables; the row's own name if empty.
        description: What it is.
        source: Where its values come from; ``reconstruction`` where nobody states them.
        options: Options of the builder.
        training: Keys of the training recipe.
    """

    builder: str
    label: str = ""
    description: str = ""
    source: str = "reconstruction"
    options: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)


def presets_folder() -> Path:
    """Return the presets' folder: in ``config`` in a checkout, inside the package in a wheel."""
    packaged = PACKAGE / "presets_data"
    return packaged if packaged.is_dir() else PACKAGE.parent / "config" / "presets"


@lru_cache(maxsize=1)
def load_presets() -> dict[str, Preset]:
    """Read all presets.

    Returns:
        The presets by name, in the order of the files and of their lines.

    Raises:
        InputError: A file breaks the schema, or two files have a preset of one name.
    """
    found: dict[str, Preset] = {}
    for file in sorted(presets_folder().glob("*.yaml")):
        for name, content in load_checked_yaml(file, "presets")["presets"].items():
            if name in found:
                raise InputError(file, f"presets.{name}", name, "a name that no other file has")
            found[name] = Preset(**content)
    return found
