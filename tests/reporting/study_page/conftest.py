"""The small study's results folder and its page; made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hostile_study import CONTROL, ROWS, analyse, write_runs, write_study, write_texts

from amb.reporting.study_page.document import write_page
from amb.reporting.study_page.folder import open_folder


@pytest.fixture(scope="session")
def small_study(tmp_path_factory, simulate):
    """The study's file and its results folder; tests that change them copy them first."""
    folder = tmp_path_factory.mktemp("small")
    study = folder / "small.yaml"
    write_study(study, ROWS | CONTROL)
    results = folder / "results"
    results.mkdir()
    predictions = simulate(ROWS | CONTROL, videos=8, clips=6)
    write_runs(results, study, predictions)
    write_texts(results, predictions)
    analyse(results, study)
    return study, results


@pytest.fixture(scope="session")
def page_file(small_study):
    """The page of the small study."""
    study, results = small_study
    write_page(results / "index.html", open_folder(results, study))
    return results / "index.html"


@pytest.fixture
def own_results(small_study, tmp_path):
    """A copy of the results folder that a test may change, and the study's file."""
    study, results = small_study
    return study, Path(shutil.copytree(results, tmp_path / "own"))
