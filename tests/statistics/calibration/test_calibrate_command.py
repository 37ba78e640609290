"""``amb calibrate`` end to end, on small test sets."""

import pytest

from amb.cli import main
from amb.statistics.calibration import cells
from amb.statistics.calibration.cells import COMPONENTS, Scenario


@pytest.fixture
def small(monkeypatch):
    scenarios = [Scenario(60, 6, COMPONENTS[0], null) for null in ("population", "fixed_set")]
    monkeypatch.setattr(cells, "all_scenarios", lambda: scenarios)


def test_the_command_writes_everything_and_says_what_it_does(small, tmp_path, capsys):
    arguments = ["calibrate", "--out-dir", str(tmp_path), "--replicates", "8", "--workers", "1"]
    main(arguments)
    for kind in ("csv", "md", "html", "png", "pdf"):
        assert (tmp_path / f"calibration.{kind}").exists()
    assert "2/2 fixed_set-60-balanced" in capsys.readouterr().out
    main(arguments)
    assert "2 of 2 scenarios are there already" in capsys.readouterr().out


def test_a_broken_promise_is_an_error_after_everything_is_written(
    small, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("amb.statistics.calibration.summary.BAND", (0.4, 0.5))
    arguments = ["calibrate", "--out-dir", str(tmp_path), "--replicates", "8", "--workers", "1"]
    assert main(arguments) == 2
    assert "calibration.csv: two-way jackknife t" in capsys.readouterr().err
    assert "## Faults" in (tmp_path / "calibration.md").read_text()


def test_no_replicate_is_refused(capsys, tmp_path):
    assert main(["calibrate", "--out-dir", str(tmp_path), "--replicates", "0"]) == 2
    assert "--replicates: value: found 0, expected at least 1" in capsys.readouterr().err
