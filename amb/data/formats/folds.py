"""The standard folds of the CMU Multimodal SDK: a text of Python lists, parsed and never run."""

from __future__ import annotations

import ast
from pathlib import Path

from amb.data.dataset import SPLITS
from amb.errors import InputError


def read_folds(file: Path) -> dict[str, str]:
    """Read which split each video is in.

    Args:
        file: Text with ``standard_train_fold = ['video', …]``, and valid and test likewise.

    Returns:
        The split by video, in the order of the file.

    Raises:
        InputError: The text cannot be parsed, a fold is missing, or a video is in two folds.
    """
    folds = _assigned_lists(file)
    split_of: dict[str, str] = {}
    for split in SPLITS:
        name = f"standard_{split}_fold"
        if name not in folds:
            raise InputError(file, name, "no such list", "a list of videos")
        for video in folds[name]:
            if split_of.get(video, split) != split:
                raise InputError(file, name, video, f"no video of the {split_of[video]} fold")
            split_of[video] = split
    return split_of


def _assigned_lists(file: Path) -> dict[str, list[str]]:
    """Return the lists of strings that a Python text assigns, by name; the rest is ignored."""
    try:
        statements = ast.parse(file.read_text(encoding="utf-8")).body
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(
            file, "text", str(error), "lists such as standard_train_fold=[…]"
        ) from error
    assigned = {}
    for statement in statements:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            try:
                value = ast.literal_eval(statement.value)
            except (ValueError, TypeError, RecursionError, MemoryError):
                continue  # not a literal: ours must be, and then it is missing below
            if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
                assigned[name] = list(value)
    return assigned
