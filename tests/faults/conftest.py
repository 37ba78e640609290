"""The site of the faults, their moments, and what counts them.

A normal test run does a few of each; ``make test-faults`` (``AMB_FAULTS=1``) does all, on as many
processes as it is given, and adds what every test counted to ``outcomes.json``.
"""

from __future__ import annotations

import random

import pytest
from outcomes import FULL, SEED, Outcome, record
from site_of_faults import Site, study_text


@pytest.fixture(scope="session")
def site(tiny, tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("faults")
    study = folder / "tiny.yaml"
    study.write_text(study_text(tiny.file.read_text(encoding="utf-8")), encoding="utf-8")
    site = Site(folder, study, tiny.store, tiny.backbone)
    site.make_undisturbed()
    return site


@pytest.fixture
def chance(request) -> random.Random:
    """Random moments, others for every test."""
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture
def outcome():
    """Makes what counts a kind of fault; a test that fails is counted too."""
    made: list[Outcome] = []

    def make(fault: str) -> Outcome:
        made.append(Outcome(fault))
        return made[-1]

    yield make
    for counted in made:
        if FULL and counted.times:
            record(vars(counted))


@pytest.fixture
def skip_fault():
    """Skips a kind of fault, and keeps why."""

    def skip(fault: str, why: str) -> None:
        if FULL:
            record({"fault": fault, "skipped": why})
        pytest.skip(why)

    return skip
