"""The table of the docs is what was counted, and what was counted lost nothing."""

from __future__ import annotations

import pytest
from outcomes import FILE, FULL, PAGE, read_lines, table

pytestmark = pytest.mark.skipif(FULL, reason="counting goes on; the page is made when it has ended")


def test_the_page_shows_what_was_counted():
    page = PAGE.read_text(encoding="utf-8")
    begin, end = "<!-- begin outcomes -->\n", "<!-- end outcomes -->"
    assert page.split(begin)[1].split(end)[0] == table().rstrip() + "\n"


def test_every_fault_was_done_and_lost_nothing():
    lines = read_lines()
    assert FILE.exists()
    for line in lines:
        assert line["times"] > 0, line["fault"]
        assert (line["reran"], line["equal"]) == (line["times"], line["times"]), line["fault"]
        assert (line["half_written"], line["orphans"]) == (0, 0), line["fault"]
