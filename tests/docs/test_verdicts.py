"""The verdicts that the documentation shows are those of the committed references."""

from __future__ import annotations

import json
import re

import pytest
from doc_commands import ROOT

ROW = re.compile(r"^\| (\w+) \| `([\w-]+)` \| ([^|]*) \| \*([^*]+)\* \|", re.MULTILINE)
RESULTS = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
REFERENCES = sorted(file.parent for file in ROOT.glob("results/reference/*/claims.json"))


def percent(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "−")


def gain(claim: dict) -> str:
    """A claim's gain for other videos, or its count, as the page writes it."""
    if claim["counts"]:
        return f"{100 * claim['counts']['ratio']:.1f} % of the parameters"
    found = claim["scopes"]["population"]
    low, high = percent(found["ci_low"]), percent(found["ci_high"])
    return f"{percent(found['estimate'])} ({low} to {high})"


@pytest.mark.parametrize("folder", REFERENCES, ids=lambda folder: folder.name)
def test_the_page_shows_every_tested_claim_of_a_reference(folder):
    claims = json.loads((folder / "claims.json").read_text(encoding="utf-8"))["claims"]
    tested = [claim for claim in claims if claim["verdict"] != "not tested"]
    shown = {row[1]: row[2:] for row in ROW.findall(RESULTS) if row[0] == folder.name}
    assert shown == {claim["id"]: (gain(claim), claim["verdict"]) for claim in tested}
