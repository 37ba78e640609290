"""SECURITY.md names tests and files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:tests/|amb/|docs/|test_|requirements)[\w/.-]*)`", PAGE)))


@pytest.mark.parametrize("name", NAMED)
def test_what_the_page_names_exists(name):
    assert (ROOT / name).exists() or (ROOT / "tests" / "security" / name).exists()


def test_every_threat_names_what_shows_its_defence():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")][2:]
    shown = [row.split(" | ")[-1] for row in rows]
    assert len(shown) > 12
    assert all(re.search(r"test|make check|see below", cell) for cell in shown)
