"""Commands under watch, and a results folder to do harm to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WATCHED = Path(__file__).with_name("watched.py")
ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "results" / "reference" / "demo"


@pytest.fixture
def results(tmp_path):
    """A copy of the demo's reference, as somebody could send it."""
    return shutil.copytree(REFERENCE, tmp_path / "demo")


@pytest.fixture
def watched(tmp_path):
    """Run commands of ``amb`` in one process under watch; return how each ended."""

    def run(*commands):
        file = tmp_path / "commands.json"
        file.write_text(json.dumps([[str(part) for part in command] for command in commands]))
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "AMB_CACHE": str(tmp_path / "cache")}
        command = [sys.executable, str(WATCHED), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
