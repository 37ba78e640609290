"""Where a result comes from: digests of the source it depends on, versions, hardware, commit.

Snakemake watches the mtime of a script, never what it imports; the digests here are ``params`` of
the rules, so that an edit in a package makes stale what depends on it and nothing else.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

DATA_SOURCES = ("amb/data",)
TRAINING_SOURCES = ("amb/data", "amb/model", "amb/training")
EVALUATION_SOURCES = ("amb/evaluation/predict.py", "amb/evaluation/predictions.py")
CORRUPTION_SOURCES = (*EVALUATION_SOURCES, "amb/evaluation/corruption")
FUSION_NORMS_SOURCES = ("amb/evaluation/fusion_norms.py",)
TIMING_SOURCES = ("amb/timing",)
STATISTICS_SOURCES = ("amb/evaluation", "amb/statistics")
CLAIMS_SOURCES = (*STATISTICS_SOURCES, "amb/registration.py")
REPORTING_SOURCES = ("amb/reporting", "amb/family.py")
FIGURE_SOURCES = (
    *REPORTING_SOURCES,
    "amb/evaluation/metrics.py",
    "amb/statistics/superiority.py",
)
PAGE_SOURCES = (*REPORTING_SOURCES, "amb/evaluation", "amb/cli/page.py", "workflow/report")

# Python, and what pages are made of.
SOURCE_SUFFIXES = (".py", ".j2", ".css", ".js", ".rst")

PACKAGES = ("amb-suite", "torch", "transformers", "tokenizers", "safetensors", "numpy", "pandas")


def source_digest(*sources: str) -> str:
    """Digest sources: files, or folders with all files below them that are source.

    Args:
        *sources: Paths relative to the project's root; one that does not exist counts as empty.

    Returns:
        A SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    for source in sources:
        path = ROOT / source
        files = _sources_below(path) if path.is_dir() else [path]
        for file in files:
            digest.update(file.relative_to(ROOT).as_posix().encode())
            digest.update(file.read_bytes() if file.exists() else b"")
    return digest.hexdigest()


def _sources_below(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix in SOURCE_SUFFIXES)


def training_digest(builder: str) -> str:
    """Return the digest of the source that training one method depends on."""
    own = () if builder == "amb" else (f"baselines/{builder}.py",)
    return source_digest(*TRAINING_SOURCES, *own)


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
