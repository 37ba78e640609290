"""Snakemake as tests call it: for real, or to plan only."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ("--snakefile", str(ROOT / "Snakefile"))
COMMAND = (sys.executable, "-m", "snakemake")
PLANS_ONLY = {"-n", "--dry-run", "--summary", "--touch"}


def environment_for_jobs(**more: str) -> dict[str, str]:
    """The environment in which jobs find this project and its Python."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **more}


def snakemake(
    *arguments: object, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Call Snakemake; what only plans is done by a fork of one that is imported already.

    Args:
        arguments: Of the command line.
        cwd: The working directory; None: the present one.
        environment: What differs from ``environment_for_jobs``.

    Returns:
        How it ended, and what it said.
    """
    words, whole = [str(word) for word in arguments], environment_for_jobs(**environment)
    if PLANS_ONLY.isdisjoint(words):
        command = [*COMMAND, *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=whole)
    with tempfile.TemporaryDirectory() as folder:
        said = {name: str(Path(folder, name)) for name in ("stdout", "stderr")}
        asked = {"arguments": words, "cwd": str(cwd or Path.cwd()), "environment": whole, **said}
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        printed, complained = (Path(file).read_text() for file in said.values())
    return subprocess.CompletedProcess(words, status, printed, complained)


def jobs_in(text: str) -> dict[str, str]:
    """What Snakemake prints of the jobs of a plan, by rule."""
    blocks = re.split(r"^(?:local)?rule (\w+):$", text, flags=re.MULTILINE)
    return dict(zip(blocks[1::2], blocks[2::2], strict=True))


@cache
def _server() -> subprocess.Popen[str]:
    """The process that has imported Snakemake; it ends with this one."""
    command = [sys.executable, str(Path(__file__).with_name("snakemake_server.py"))]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd="/"
    )
