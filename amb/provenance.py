"""Where a result comes from: digests of the source it depends on, versions, hardware, commit.

Snakemake watches the mtime of a script, never what it imports; the digests here are ``params`` of
the rules, so that an edit in a package makes stale what depends on it and nothing else. The imports
tell what depends on what: the names below only say where a step begins, and a test compares them
with what the step's command imports.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import subprocess
from functools import cache
from pathlib import Path

from amb.source_graph import ROOT, builder_file, files_behind

DATA_SOURCES = ("amb/data/prepare.py",)
BACKBONE_SOURCES = ("amb/model/backbone_source.py",)
TRAINING_SOURCES = ("amb/training/run.py",)
CHECK_SOURCES = ("amb/training/check.py", "amb/evaluation/corruption")
EVALUATION_SOURCES = ("amb/evaluation/predict.py",)
CORRUPTION_SOURCES = ("amb/evaluation/corrupt.py",)
FUSION_NORMS_SOURCES = ("amb/evaluation/fusion_norms.py",)
TIMING_SOURCES = ("amb/timing",)
STATISTICS_SOURCES = ("amb/evaluation/reading.py", "amb/statistics")
CLAIMS_SOURCES = (*STATISTICS_SOURCES, "amb/registration.py")
REPORTING_SOURCES = ("amb/reporting/*.py", "amb/reporting/markup", "amb/reporting/tables")
FIGURE_SOURCES = ("amb/reporting/figures/draw.py",)
PAGE_SOURCES = ("amb/reporting/study_page", "workflow/report")
# What no result depends on by its source. What the study's readers make of a study is digested by
# itself (``config`` of the rules); the others move, watch or announce results and change none.
NO_SOURCES = (
    *("amb.study", "amb.checked_files", "amb.presets", "amb.search_space"),
    *("amb.files", "amb.heartbeat", "amb.devices", "amb.errors", "amb.failures", "amb.status"),
    *("amb.cli", "amb.printable", "amb.provenance", "amb.source_graph"),
    *("amb.file_times", "amb.termination", "amb.workflow_locks"),
)

PACKAGES = ("amb-suite", "torch", "transformers", "tokenizers", "safetensors", "numpy", "pandas")


@cache
def source_digest(*sources: str) -> str:
    """Digest sources with all that they import among our own modules, ``NO_SOURCES`` apart.

    A process digests the same sources once: many rules of a study name the same, and an edit made
    meanwhile is not what the process runs.

    Args:
        *sources: Paths relative to the project's root: files, patterns of files, or folders with
            all sources below them; a file that does not exist counts as empty.

    Returns:
        A SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    for file in files_behind(sources, NO_SOURCES):
        digest.update(file.relative_to(ROOT).as_posix().encode())
        digest.update(file.read_bytes() if file.exists() else b"")
    return digest.hexdigest()


def training_digest(builder: str) -> str:
    """Return the digest of the source that training one method depends on."""
    return source_digest(*TRAINING_SOURCES, builder_file(builder).as_posix())


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a number may depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def processor() -> str:
    """Return the name of this machine's CPU."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def commit() -> dict[str, str | bool]:
    """Return the git commit of the source and whether the work tree differs from it."""
    head = _git("rev-parse", "HEAD")
    return {"commit": head or "unknown", "dirty": bool(_git("status", "--porcelain"))}


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
