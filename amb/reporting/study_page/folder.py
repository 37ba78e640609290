"""A results folder as the page reads it: the study, and what else happens to be there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amb.errors import InputError
from amb.evaluation.predictions import CLEAN_FILE, run_folder
from amb.files import read_json
from amb.foreign_files import refuse_links_out
from amb.reporting.inputs import read_object
from amb.study import KNOWN_BUILDERS, load_study

ORIGIN = "the study as amb study resolves it"


@dataclass(frozen=True)
class StudyFolder:
    """One results folder and the study that it is of.

    Attributes:
        path: The folder ``results/<study>``.
        study: The resolved study, as ``Study.resolved`` returns it.
        command_study: What ``--config study=`` takes: the study's name or file.
    """

    path: Path
    study: Mapping[str, Any]
    command_study: str

    @property
    def name(self) -> str:
        """The study's name."""
        return str(self.study["name"])

    @property
    def alpha(self) -> float:
        """The level of the comparison table."""
        return float(self.study["statistics"]["alpha"])

    @property
    def labels(self) -> dict[str, str]:
        """Every row's label by its name, in table order, controls among them."""
        return {name: str(row["label"]) for name, row in self.study["methods"].items()}

    @property
    def seeds(self) -> dict[str, list[int]]:
        """Every row's seeds by its name."""
        return {name: list(row["seeds"]) for name, row in self.study["methods"].items()}

    @property
    def compared(self) -> list[str]:
        """The rows that are no control, in table order."""
        return [name for name, row in self.study["methods"].items() if not is_control(row)]

    def run_file(self, method: str, seed: int, name: str) -> Path:
        """Return the path of a file of one run."""
        return run_folder(self.path / "runs", method, seed) / name

    def prediction_files(self) -> dict[str, list[Path]]:
        """Return the prediction files that are there, by row; rows without any are left out."""
        files = {
            method: [self.run_file(method, seed, CLEAN_FILE) for seed in seeds]
            for method, seeds in self.seeds.items()
        }
        found = {method: [file for file in own if file.is_file()] for method, own in files.items()}
        return {method: own for method, own in found.items() if own}

    def record(self, method: str, seed: int) -> dict[str, Any] | None:
        """Return the record of one run, None where the folder has none."""
        return optional_json(self.run_file(method, seed, "run.json"))


def is_control(row: Mapping[str, Any]) -> bool:
    """Return whether a row of a resolved study is a control: its result is known in advance."""
    return bool(row["control"]) or row["builder"] in KNOWN_BUILDERS


def open_folder(results: Path, study_file: Path | None) -> StudyFolder:
    """Open a results folder.

    Args:
        results: The folder ``results/<study>``.
        study_file: The study (YAML); None: ``study.json`` of the folder says what the study is.

    Returns:
        The folder with its study.

    Raises:
        InputError: There is no such folder, nothing says what the study is, or a link leads out of
            a folder that says it by itself.
    """
    if not results.is_dir():
        raise InputError(results, "folder", "no such folder", "the results folder of a study")
    if study_file is None:
        refuse_links_out(results, ("", "tables", "figures", "store"))
        resolved = read_object(results / "study.json", "methods", dict, ORIGIN)
        return StudyFolder(results, resolved, str(resolved.get("name")))
    study = load_study(study_file)
    return StudyFolder(results, study.resolved(), study.name)


def optional_json(file: Path) -> dict[str, Any] | None:
    """Read a JSON object; None where there is no such file.

    Args:
        file: The JSON file.

    Returns:
        Its content.

    Raises:
        InputError: It is no JSON object.
    """
    if not file.is_file():
        return None
    try:
        content = read_json(file)
    except ValueError as error:
        raise InputError(file, "JSON", str(error), "a JSON object") from error
    if not isinstance(content, dict):
        raise InputError(file, "JSON", type(content).__name__, "a JSON object")
    return content
