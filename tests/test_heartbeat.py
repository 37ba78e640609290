"""Signs of life: there while a training lives, honest about how it ended, never in its way."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time

import pytest

from amb.files import write_json
from amb.heartbeat import FILE, SILENCE_S, Heartbeat, is_alive, read_progress

KILLED = """
import os, signal, sys
from pathlib import Path
from amb.heartbeat import Heartbeat
with Heartbeat("amb", {1111: Path(sys.argv[1])}, 20) as beat:
    beat.epoch(1111, 1, 0.9, 2.5)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def change(folder, **values):
    write_json(folder / FILE, {**dataclasses.asdict(read_progress(folder)), **values})


def test_a_training_shows_its_epochs_while_it_lives_and_nothing_after(tmp_path):
    with Heartbeat("amb", {1111: tmp_path / "a", 1112: tmp_path / "b"}, 20) as beat:
        assert read_progress(tmp_path / "b").epoch == 0
        for epoch, mae in ((4, 0.9), (5, 0.7), (6, 0.8)):
            beat.epoch(1111, epoch, mae, 2.5)
        shown = read_progress(tmp_path / "a")
        assert (shown.epoch, shown.first_epoch, shown.max_epochs, shown.packed) == (6, 4, 20, 2)
        assert (shown.best_epoch, shown.best_valid_mae, shown.epoch_s) == (5, 0.7, 2.5)
        assert is_alive(shown, tmp_path / "a")
    assert list(tmp_path.glob("*/*")) == []


def test_a_loss_that_is_not_finite_is_no_best(tmp_path):
    with Heartbeat("amb", {1111: tmp_path}, 20) as beat:
        beat.epoch(1111, 1, float("nan"), 1.0)
        assert read_progress(tmp_path).best_valid_mae is None


def test_an_error_stays_behind_and_is_not_alive(tmp_path):
    def train_on_a_full_disk():
        with Heartbeat("amb", {1111: tmp_path}, 20) as beat:
            beat.epoch(1111, 1, 0.9, 1.0)
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        train_on_a_full_disk()
    left = read_progress(tmp_path)
    assert left.error == "OSError: [Errno 28] No space left on device"
    assert left.epoch == 1
    assert not is_alive(left, tmp_path)


def test_a_killed_process_is_seen_to_be_gone(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)])
    assert done.returncode == -signal.SIGKILL
    left = read_progress(tmp_path)
    assert (left.epoch, left.error) == (1, None)
    assert not is_alive(left, tmp_path)


def test_another_process_with_the_same_number_is_not_taken_for_the_training(tmp_path):
    with Heartbeat("amb", {1111: tmp_path}, 20):
        change(tmp_path, born=(read_progress(tmp_path).born or 0) - 1)
        assert not is_alive(read_progress(tmp_path), tmp_path)


def test_on_another_machine_a_training_counts_as_gone_after_a_silence(tmp_path):
    with Heartbeat("amb", {1111: tmp_path}, 20):
        change(tmp_path, machine="node17 pid:[1]", pid=1)
        assert is_alive(read_progress(tmp_path), tmp_path)
        past = time.time() - SILENCE_S - 1
        os.utime(tmp_path / FILE, (past, past))
        assert not is_alive(read_progress(tmp_path), tmp_path)


def test_a_file_that_cannot_be_written_fails_no_training(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with Heartbeat("amb", {1111: tmp_path / "file" / "seed1111"}, 20) as beat:
        beat.epoch(1111, 1, 0.9, 1.0)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"seed": 1}'])
def test_a_file_that_is_no_progress_says_nothing(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    assert read_progress(tmp_path) is None
