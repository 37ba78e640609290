"""A killed workflow's lock is removed, and a living one's is not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from amb.workflow_locks import drop_stale_locks

LIVES = """
import sys
from pathlib import Path
from amb.workflow_locks import drop_stale_locks
drop_stale_locks(Path(sys.argv[1]))
print("running", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def another(tmp_path):
    """Another process that runs a workflow in the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", LIVES, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "running\n"
    yield process
    process.kill()
    process.wait()


def test_locks_stay_while_another_process_lives_and_go_with_it(tmp_path, another):
    locks = tmp_path / "locks"
    locks.mkdir()
    for name in ("0.input.lock", "0.output.lock", "other"):
        (locks / name).touch()
    assert not drop_stale_locks(tmp_path)
    assert len(list(locks.iterdir())) == 3
    another.kill()
    another.wait()
    assert _in_another_process(tmp_path) == "False"  # this process still counts as a workflow
    from amb import workflow_locks

    workflow_locks._held.pop().close()
    assert drop_stale_locks(tmp_path)
    assert [lock.name for lock in locks.iterdir()] == ["other"]
    workflow_locks._held.pop().close()


def _in_another_process(folder):
    code = "import sys; from pathlib import Path; from amb.workflow_locks import *\n"
    code += "print(drop_stale_locks(Path(sys.argv[1])))"
    command = [sys.executable, "-c", code, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_folder_that_cannot_be_written_is_left_alone(tmp_path):
    (tmp_path / "file").touch()
    assert not drop_stale_locks(tmp_path / "file")
