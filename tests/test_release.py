"""Version, citation and changelog agree, and the changelog marks what moves a number."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import amb

ROOT = Path(__file__).resolve().parent.parent
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MARK = "**results-changing**"


def entries():
    """The entries of the changelog, each as one line."""
    blocks = re.split(r"^- ", CHANGELOG, flags=re.MULTILINE)[1:]
    return [" ".join(re.split(r"^#", block, flags=re.MULTILINE)[0].split()) for block in blocks]


def test_the_version_is_the_same_everywhere():
    assert PROJECT["version"] == CITATION["version"] == amb.__version__


def test_the_citation_has_what_the_format_demands():
    """Citation File Format 1.2.0: required keys, and those of what is cited beside."""
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] == "software"
    assert {"title", "message", "authors"} <= set(CITATION)
    assert all({"name"} <= set(a) or {"family-names"} <= set(a) for a in CITATION["authors"])
    for reference in CITATION["references"]:
        assert {"type", "title", "authors"} <= set(reference)
    assert CITATION["license"] == PROJECT["license"]


def test_every_heading_of_the_changelog_is_a_version_or_unreleased():
    headings = re.findall(r"^## (.*)$", CHANGELOG, flags=re.MULTILINE)
    assert headings[0] == "Unreleased" or headings[0].startswith(PROJECT["version"])
    form = r"Unreleased|\d+\.\d+\.\d+ — \d{4}-\d\d-\d\d"
    assert all(re.fullmatch(form, heading) for heading in headings)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry[:40])
def test_an_entry_that_moves_numbers_begins_with_the_mark(entry):
    """Whoever looks for what changed a number reads the first words of entries only."""
    assert ("results-changing" not in entry) or entry.startswith(MARK)
    moves = re.search(r"\b\.\d{3} ± \.\d{3} before\b|before, [−.\d]+ ± [.\d]+ now", entry)
    assert entry.startswith(MARK) or not moves
