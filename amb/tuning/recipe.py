"""A study with other values in one row: what a trial trains with, and what a search leaves behind.

It is a study file like any other, so that what trains and evaluates need not know of tuning.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from amb.checked_files import load_checked_yaml
from amb.files import write_text
from amb.search_space import Scalar
from amb.study import load_study

GROUP = "group_learning_rates."
OPTION = "options."

Values = Mapping[str, Scalar]


def split_values(values: Values) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return values as keys of the training recipe and options of the builder.

    Args:
        values: By name of the dimension.

    Returns:
        Training and options; ``group_learning_rates`` has its groups in an object of its own.
    """
    training: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for name, value in values.items():
        if name.startswith(OPTION):
            options[name.removeprefix(OPTION)] = value
        elif name.startswith(GROUP):
            rates = training.setdefault(GROUP.rstrip("."), {})
            rates[name.removeprefix(GROUP)] = value
        else:
            training[name] = value
    return training, options


def write_study_with(target: Path, file: Path, method: str, values: Values, heading: str) -> None:
    """Write a study in which a row, and its controls with it, has other values.

    Args:
        target: The study to write.
        file: The study that it follows from.
        method: The row.
        values: By name of the dimension.
        heading: What the file is, for its first line.
    """
    study = load_study(file)
    content = load_checked_yaml(file, "study")
    content.pop("tuning", None)
    own = study.methods[method]
    training, options = split_values(values)
    recipe = dataclasses.asdict(own.training)
    training[GROUP.rstrip(".")] = {
        **own.training.group_learning_rates,
        **training.get(GROUP.rstrip("."), {}),
    }
    for name in study.rows_alike(method):
        row = content["methods"][name] or {}
        content["methods"][name] = {
            **row,
            "training": deepcopy({**recipe, **training}),  # shared objects would be YAML aliases
            "options": deepcopy({**own.options, **options}),
        }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    write_text(target, f"# {heading}\n{text}")
