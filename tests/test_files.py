"""What killed writers leave is removed by the next one, and what others write is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from amb.files import atomic_folder, atomic_path, write_text

KILLED = """
import os, signal, sys
from pathlib import Path
from amb.files import {manager}
with {manager}(Path(sys.argv[1])) as temporary:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_a_writer(manager, target):
    code = KILLED.format(manager=manager)
    assert subprocess.run([sys.executable, "-c", code, str(target)]).returncode == -9


def test_a_killed_writers_file_goes_with_the_next_writing_of_the_same_target(tmp_path):
    target = tmp_path / "run.json"
    kill_a_writer("atomic_path", target)
    kill_a_writer("atomic_path", tmp_path / "other.json")
    assert len(list(tmp_path.iterdir())) == 2
    write_text(target, "{}")
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names[1:] == ["run.json"]
    assert names[0].startswith(".other.")


def test_a_living_writers_file_stays(tmp_path):
    target = tmp_path / "run.json"
    with atomic_path(target) as first:
        first.write_text("first")
        with atomic_path(target) as second:
            second.write_text("second")
        assert first.read_text() == "first"
    assert target.read_text() == "first"


def test_a_killed_writers_folder_goes_with_the_next(tmp_path):
    target = tmp_path / "store"
    kill_a_writer("atomic_folder", target)
    assert len(list(tmp_path.iterdir())) == 1
    with atomic_folder(target) as folder:
        (folder / "file").touch()
        with atomic_folder(tmp_path / "other"):
            assert folder.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "store"]


def test_contents_are_on_the_disk_before_they_have_their_name(tmp_path, monkeypatch):
    events, fsync, replace = [], os.fsync, Path.replace

    def forced(handle):
        events.append(("forced", Path(f"/proc/self/fd/{handle}").readlink().read_bytes()))
        fsync(handle)

    def named(path, target):
        events.append(("named", Path(target).name))
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", forced)
    monkeypatch.setattr(Path, "replace", named)
    write_text(tmp_path / "run.json", "{}")
    write_text(tmp_path / "alive.json", "{}", durable=False)
    with atomic_folder(tmp_path / "store") as folder:
        (folder / "below").mkdir()
        (folder / "below" / "card").write_text("card")
    assert events == [
        ("forced", b"{}"), ("named", "run.json"), ("named", "alive.json"),
        ("forced", b"card"), ("named", "store"),
    ]  # fmt: skip
