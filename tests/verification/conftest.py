"""A results folder that verifies, made once, and copies of it to tamper with."""

from __future__ import annotations

import shutil

import pytest
from results_folder import ROWS, ResultsFolder, make_results

from amb.cli.verify import run_quietly


@pytest.fixture(scope="session")
def pristine(tmp_path_factory, simulate):
    base = tmp_path_factory.mktemp("pristine")
    predictions = simulate(ROWS, videos=10, clips=6)
    return make_results(base / "config", base / "results" / "simulated", predictions, run_quietly)


@pytest.fixture
def results(pristine, tmp_path):
    """A copy that a test may change."""
    return ResultsFolder(shutil.copytree(pristine.folder, tmp_path / "simulated"), pristine.study)
