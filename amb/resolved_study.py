"""``study.json``, the study as it was resolved, read back as a study.

A study as it was written leans on presets, which change with time. Its resolved form says
everything, so results that carry it can be read by whoever receives them.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from amb.errors import InputError
from amb.files import atomic_path, read_json, write_text
from amb.study import Study, digest, load_study

CONFIG_STUDY = "study.yaml"
PUBLISHED = "published.csv"
ORIGIN = "a study as amb study writes it"


def restore_study(resolved_file: Path, target: Path) -> Study:
    """Write the study file that a resolved study follows from, and load it.

    The loader checks it against the closed schema as any study of a user, so ``study.json`` may be
    of unknown origin. The claims file is named without its folder: it lies beside the study.

    Args:
        resolved_file: ``study.json``.
        target: The study file (YAML) to write.

    Returns:
        The study.

    Raises:
        InputError: The file is no resolved study, breaks the schema, does not have the SHA-256
            that it states, or resolves to something else in this version of the suite.
    """
    try:
        resolved = read_json(resolved_file)
        stated = resolved.pop("sha256")
        if not resolved["methods"]:
            raise ValueError("no methods")
        content = study_content(resolved)
        found = digest(resolved)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"{type(error).__name__}: {error}"[:200]
        raise InputError(resolved_file, "content", message, ORIGIN) from error
    if found != stated:
        raise InputError(resolved_file, "sha256", stated, f"{found}, that of its content")
    write_text(target, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    study = load_study(target)
    resolved["statistics"]["claims"] = content["statistics"]["claims"]
    today = json.loads(json.dumps(study.resolved()))  # tuples become lists
    if today != resolved:
        where = _first_difference(resolved, today)
        raise InputError(
            resolved_file,
            where,
            "a value that this version of the suite resolves otherwise",
            "a study of this version; the run records name the version that made it",
        )
    return study


def read_resolved_study(resolved_file: Path) -> Study:
    """Read ``study.json`` as the study that it is of.

    Args:
        resolved_file: ``study.json`` of a results folder.

    Returns:
        The study.

    Raises:
        InputError: As of ``restore_study``.
    """
    with tempfile.TemporaryDirectory() as folder:
        return replace(restore_study(resolved_file, Path(folder, CONFIG_STUDY)), file=resolved_file)


def write_resolved_study(study: Study, target: Path) -> None:
    """Write ``study.json``; rows keep their order, which is that of the tables.

    Args:
        study: The study.
        target: The file.
    """
    resolved = study.resolved()
    text = json.dumps({**resolved, "sha256": digest(resolved)}, indent=2, allow_nan=False)
    write_text(target, text + "\n")


def copy_config(study: Study, folder: Path) -> None:
    """Copy the study as it was written, its claims file and published numbers beside that.

    With these a results folder says by itself what was claimed of it.

    Args:
        study: The study.
        folder: Where to.

    Raises:
        InputError: The study names a claims file that is not there.
    """
    claims = study.claims_file()
    if not claims.is_file():
        raise InputError(study.file, "statistics.claims", str(claims), "a file that exists")
    copies = {study.file: CONFIG_STUDY, claims: claims.name}
    if (claims.parent / PUBLISHED).is_file():
        copies[claims.parent / PUBLISHED] = PUBLISHED
    for source, name in copies.items():
        with atomic_path(folder / name) as temporary:
            shutil.copyfile(source, temporary)


def study_content(resolved: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a study file that resolves to ``resolved``.

    Args:
        resolved: What ``Study.resolved`` returned.

    Returns:
        Every row with its builder, options and training in full; no row has a preset.
    """
    rows = resolved["methods"]
    first = next(iter(rows.values()))
    claims = Path(resolved["statistics"]["claims"]).name
    kept = ("schema", "name", "description", "data")
    content = {
        **{key: resolved[key] for key in kept},
        "backbone": {k: v for k, v in resolved["backbone"].items() if v is not None},
        "methods": {name: _row(row) for name, row in rows.items()},
        "seeds": {"first": first["seeds"][0], "count": len(first["seeds"])},
        "training": first["training"],
        "statistics": {**resolved["statistics"], "claims": claims},
        **({"tuning": _tuning(resolved["tuning"])} if "tuning" in resolved else {}),
        **({"corruption": resolved["corruption"]} if "corruption" in resolved else {}),
    }
    return deepcopy(content)  # shared objects would be YAML aliases


def _row(row: dict[str, Any]) -> dict[str, Any]:
    own = {key: row[key] for key in ("label", "builder", "options", "training")}
    control = {"control": row["control"]} if row["control"] else {}
    return {**own, "seeds": len(row["seeds"]), **control}


def _tuning(tuning: dict[str, Any]) -> dict[str, Any]:
    """Return the section of a study file: dimensions by name, without what they leave open."""
    own = {
        row: {name: {**_dimension(new), "instead": new["name"]} for name, new in replaced.items()}
        for row, replaced in tuning["own"].items()
    }
    return {
        **{key: tuning[key] for key in ("trials", "seed", "sampler", "apply")},
        "space": {dimension["name"]: _dimension(dimension) for dimension in tuning["space"]},
        **({"methods": own} if own else {}),
    }


def _dimension(dimension: dict[str, Any]) -> dict[str, Any]:
    if dimension["choices"]:
        return {"choices": list(dimension["choices"])}
    return {key: dimension[key] for key in ("low", "high", "log")}


def _first_difference(a: Any, b: Any, where: str = "") -> str:
    """Return the path of the first key that differs."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted({*a, *b}):
            if a.get(key) != b.get(key) or (key in a) != (key in b):
                return _first_difference(a.get(key), b.get(key), f"{where}.{key}".lstrip("."))
    return where
