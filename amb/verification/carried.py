"""What cannot be made again from predictions, and is taken as the folder says it.

That is one thing: when the claims file last changed. It is known from git or the file's time, and
a copy has neither. Claims that were edited after the test labels were read are found without it, by
the digests that ``evaluated.json`` of every run keeps; only where a run has none, the whole note of
registration rests on times and is taken as it stands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from amb.errors import InputError
from amb.files import read_json, write_json
from amb.foreign_files import checked_file
from amb.verification.inputs import LARGEST

CLAIMS = "claims.json"
MOMENT = ("claims_changed_at", "claims_changed_at_from")


def carry_registration(source: Path, out: Path) -> None:
    """Put into the verdicts made again when the folder says that its claims last changed.

    Args:
        source: The results folder.
        out: The folder with the verdicts made again; nothing is done where there are none.
    """
    made, told = out / CLAIMS, _registration(source)
    if not made.is_file() or told is None:
        return
    content = read_json(made)
    if told.get("decided_by") == content["registration"]["decided_by"] == "times":
        content["registration"] = told
    else:
        content["registration"].update({key: _text(told.get(key)) for key in MOMENT})
    write_json(made, content)


def _registration(source: Path) -> dict[str, Any] | None:
    """Return what the folder says of its claims' registration; None where it says nothing."""
    try:
        file = checked_file(source, CLAIMS, LARGEST[".json"])
        told = read_json(file)["registration"] if file else None
    except (InputError, ValueError, KeyError, TypeError, RecursionError):
        return None  # the comparison says what is wrong with the file
    return told if isinstance(told, dict) else None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
