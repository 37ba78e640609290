"""What is committed under results/reference follows from the predictions committed beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from amb.cli.verify import run_quietly
from amb.verification.verify import verify

ROOT = Path(__file__).resolve().parents[2]
REFERENCES = sorted(file.parent for file in ROOT.glob("results/reference/*/study.json"))
LARGEST = 3_000_000  # bytes of one reference: it is committed


def test_there_is_a_reference():
    assert REFERENCES


@pytest.mark.parametrize("folder", REFERENCES, ids=lambda folder: folder.name)
def test_every_table_and_figure_follows_from_the_predictions(folder):
    verification = verify(folder, run_quietly)
    odd = {file.name: file for file in verification.files if file.differences}
    assert verification.agrees, (odd, verification.failures)


@pytest.mark.parametrize("folder", REFERENCES, ids=lambda folder: folder.name)
def test_a_reference_is_small(folder):
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < LARGEST
