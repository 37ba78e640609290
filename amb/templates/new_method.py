"""A new method: the template under a name of its own."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from amb.errors import InputError
from amb.files import atomic_path
from amb.presets import load_presets
from amb.source_graph import ROOT, builder_file

TEMPLATE = Path(__file__).with_name("method.py")
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
YAML_WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")


def write_method(name: str, root: Path = ROOT) -> Path:
    """Write ``baselines/NAME.py``, a small fusion model to start from.

    Args:
        name: Of the method: its file, and its row in a study.
        root: The project's root.

    Returns:
        The file.

    Raises:
        InputError: The name cannot be one of a method or is taken, or this is no checkout.
    """
    if not (root / "pyproject.toml").is_file():
        expected = "a checkout of the suite, which a method's file can be added to"
        raise InputError(root, "pyproject.toml", "no such file", expected)
    file = root / builder_file(name)
    _check_name(name, file)
    text = TEMPLATE.read_text(encoding="utf-8")
    with atomic_path(file) as temporary:
        temporary.write_text(
            text.replace("my_method", name).replace("MyMethod", class_name(name)), encoding="utf-8"
        )
    return file


def class_name(name: str) -> str:
    """Return the class of a method: ``my_method`` is ``MyMethod``."""
    return "".join(word.capitalize() for word in name.split("_"))


def title(name: str) -> str:
    """Return a method's name for people: ``my_method`` is ``My method``."""
    return name.replace("_", " ").strip().capitalize()


def _check_name(name: str, file: Path) -> None:
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or not name.strip("_"):
        expected = (
            "a name of Python: a letter, then letters, digits and _, in lower case, at most 64"
        )
        raise InputError("amb new method", "NAME", name, expected)
    if name in YAML_WORDS:
        raise InputError(
            "amb new method", "NAME", name, "a name that YAML does not read as a value"
        )
    if name == "amb" or name in load_presets():
        hint = "`amb presets` lists them; a row of that name would start from the preset"
        raise InputError("amb new method", "NAME", name, "a name that no preset has", hint)
    if file.exists():
        hint = "Choose another name, or delete the file first"
        raise InputError(file, "file", "it exists", "a name without a file", hint)
