"""Progress of runs: bars that fit a narrow terminal, dated lines in a log."""

from __future__ import annotations

import io
import re

import pytest

from amb.training.job import Epoch
from amb.training.progress import RunProgress


def report(progress):
    with progress:
        for epoch in (1, 2):
            progress.epoch(1111, Epoch(epoch, 0.5, 0.7, 1e-3, 1.25))
            progress.epoch(1112, Epoch(epoch, 0.5, 0.8, 1e-3, 1.25))
        progress.end(1111, "best epoch 2, validation MAE 0.7000, stopped: patience")


def test_a_log_has_a_dated_line_an_epoch(capsys):
    report(RunProgress("amb", 20))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    date = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  "
    note = r"epoch 1/20  train loss 0\.5000  validation MAE 0\.7000  1\.2 s"
    assert re.fullmatch(f"{date}amb seed 1111: {note}", lines[0])
    assert re.fullmatch(f"{date}amb seed 1111: best epoch 2, .*", lines[-1])


@pytest.mark.parametrize("columns", [80, 120])
def test_bars_show_epoch_validation_and_time_left_on_one_line(columns, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    report(RunProgress("finetuned_fusion", 20))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "finetuned_fusion seed 1111: best epoch 2, validation MAE 0.7000" in text
    last = text.splitlines()[-1]
    assert len(last) <= columns
    assert re.search(r"finetuned_fusion seed 1112 .*epoch 2/20 MAE 0\.8000 .*left ≤", last)
