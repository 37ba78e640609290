"""What became of every fault: counted while the suite runs, kept as JSON, shown in the docs.

make test-faults                    does all of the damage and writes outcomes.json
python tests/faults/outcomes.py     writes the table of docs/faults.md from it

``AMB_FAULTS`` is the share of all faults that is done: 1 for all, 0 (or not set) for the few of a
normal test run, of which nothing is written.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from filelock import FileLock

from amb import provenance
from amb.files import write_json

SHARE = float(os.environ.get("AMB_FAULTS", "0"))
FULL = SHARE > 0
SEED = int(os.environ.get("AMB_FAULTS_SEED", "7"))
ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_name("outcomes.json")
PAGE = ROOT / "docs" / "faults.md"
COLUMNS = {
    "fault": "fault",
    "times": "times done",
    "reran": "rerun complete",
    "equal": "predictions equal",
    "half_written": "half-written taken as done",
    "orphans": "processes left",
}
only_in_full = pytest.mark.skipif(not FULL, reason="part of make test-faults alone")
COUNTS = [name for name in COLUMNS if name != "fault"]


def times(short: int, full: int) -> int:
    """Return how often a fault is done: in a normal test run, or the share that is asked for."""
    return max(1, round(full * SHARE)) if FULL else short


def most_in_full(values: Sequence[str], first: int = 1) -> list[ParameterSet]:
    """Return parameters of a test, of which a normal test run takes the first ones only."""
    return [
        pytest.param(value, marks=() if place < first else only_in_full)
        for place, value in enumerate(values)
    ]


@dataclass
class Outcome:
    """How often a fault was done, and what followed.

    Attributes:
        fault: What was done, in words.
        times: How often.
        reran: After how many of them the same commands came to their end.
        equal: After how many the predictions were those of the undisturbed run, bit for bit.
        half_written: Files that stood under their final name with another content than there.
        orphans: Processes that lived on.
    """

    fault: str
    times: int = 0
    reran: int = 0
    equal: int = 0
    half_written: int = 0
    orphans: int = 0

    def note(
        self, reran: bool, equal: bool, half_written: int = 0, orphans: int = 0, times: int = 1
    ) -> None:
        """Add some faults of this kind that had the same outcome."""
        self.times += times
        self.reran += reran * times
        self.equal += equal * times
        self.half_written += half_written
        self.orphans += orphans

    def require_unharmed(self) -> None:
        """Fail the test unless nothing was lost."""
        assert self.times > 0
        assert (self.reran, self.equal) == (self.times, self.times), self
        assert (self.half_written, self.orphans) == (0, 0), self


def record(line: dict) -> None:
    """Add what a test counted, or why it was skipped, to what was counted at the same commit.

    Args:
        line: An outcome as a dictionary, or ``fault`` and ``skipped``.
    """
    facts = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": provenance.commit()["commit"],
        "cores": os.cpu_count(),
    }
    with FileLock(Path(tempfile.gettempdir()) / "amb_fault_outcomes.lock"):
        lines = {line["fault"]: line for line in read_lines()}
        known = lines.get(line["fault"], {})
        if known.get("commit") == facts["commit"] and "times" in known and "times" in line:
            line = {"fault": line["fault"], **{name: known[name] + line[name] for name in COUNTS}}
        lines[line["fault"]] = {**line, **facts}
        write_json(FILE, {"schema": 1, "outcomes": [lines[fault] for fault in sorted(lines)]})


def read_lines() -> list[dict]:
    """Return the lines of the JSON; none where nothing was counted yet."""
    return json.loads(FILE.read_text(encoding="utf-8"))["outcomes"] if FILE.exists() else []


def table() -> str:
    """Return the section of the page, from the JSON."""
    done = [line for line in read_lines() if "times" in line]
    lines = [f"| {' | '.join(COLUMNS.values())} |", f"|---|{'---:|' * (len(COLUMNS) - 1)}"]
    lines += [f"| {' | '.join(str(line[name]) for name in COLUMNS)} |" for line in done]
    sums = [str(sum(line[name] for line in done)) for name in COUNTS]
    lines += [f"| **all** | {' | '.join(f'**{value}**' for value in sums)} |", ""]
    for line in read_lines():
        if "skipped" in line:
            lines += [f"Not done: {line['fault']} ({line['skipped']}).", ""]
    runs = sorted({(line["date"], line["commit"], line["cores"]) for line in done})
    for date, commit, cores in runs:
        lines.append(f"Counted on {date} at commit `{commit[:10]}`, on {cores} cores.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from benchmarks.readme import replace_section

    replace_section("outcomes", table(), PAGE)
