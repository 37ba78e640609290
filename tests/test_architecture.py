"""Imports point one way, and what needs no torch must not import it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

ALLOWED = {
    "devices": {"devices"},
    "data": {"data"},
    "model": {"model", "data"},
    "training": {"training", "model", "data"},
    "evaluation": {"evaluation", "training", "model", "data"},
    "inference": {"inference", "evaluation", "training", "model", "data"},
    "sizes": {"sizes", "training", "model", "data"},
    "tuning": {"tuning", "training", "model", "data"},
    "timing": {"timing", "training", "model", "data"},
    "profiling": {"profiling", "training", "model", "data"},
    "statistics": {"statistics", "evaluation"},
    "reporting": {"reporting", "statistics", "evaluation", "sizes"},
    "status": {"status"},
    "verification": {"verification", "reporting", "statistics", "evaluation", "sizes"},
    "merging": {"merging", "verification", "statistics", "evaluation"},
    "publishing": {
        *("publishing", "verification", "reporting", "statistics", "evaluation", "sizes"),
    },
    "peeking": {
        *("peeking", "reporting", "statistics", "evaluation", "training", "model", "data"),
    },
}
# All of whose modules import without torch.
WITHOUT_TORCH = (
    *("amb.statistics", "amb.reporting", "amb.verification", "amb.publishing", "amb.merging"),
)
SHARED = {
    "checked_files",
    "durations",
    "errors",
    "family",
    "failures",
    "files",
    "foreign_files",
    "heartbeat",
    "printable",
    "presets",
    "provenance",
    "registration",
    "resolved_study",
    "search_space",
    "source_graph",
    "study",
    "termination",
    "workload",
}


def imported_modules(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", ALLOWED)
def test_packages_import_only_what_stands_below_them(package):
    for file in (ROOT / "amb" / package).rglob("*.py"):
        parts = [name.split(".") for name in imported_modules(file)]
        inside = {part[1] for part in parts if part[0] == "amb" and len(part) > 1}
        assert inside <= ALLOWED[package] | SHARED, file


def test_the_package_imports_neither_snakemake_nor_a_baseline():
    for file in (ROOT / "amb").rglob("*.py"):
        roots = {name.split(".")[0] for name in imported_modules(file)}
        assert not roots & {"snakemake", "baselines"}, file


def test_baselines_import_the_package_only():
    for file in (ROOT / "baselines").glob("*.py"):
        roots = {name.split(".")[0] for name in imported_modules(file)}
        assert not roots & {"snakemake", "baselines", "workflow"}, file


def importers(prefix):
    """The files of the package that import a module, or something of it."""
    return sorted(
        file.relative_to(ROOT / "amb").as_posix()
        for file in (ROOT / "amb").rglob("*.py")
        if any(name.startswith(prefix) for name in imported_modules(file))
    )


def test_the_test_labels_are_read_by_evaluation_and_by_peeking_alone():
    assert importers("amb.data.firewall") == ["evaluation/predict.py", "peeking/retrain.py"]


def test_nothing_but_its_own_command_imports_peeking():
    outside = [file for file in importers("amb.peeking") if not file.startswith("peeking/")]
    assert outside == ["cli/peek.py"]


LIGHT = (
    *("amb", "amb.cli", "amb.cli.train", "amb.cli.evaluate", "amb.cli.status", "amb.family"),
    *("amb.study", "amb.evaluation.metrics", "amb.evaluation.metric_variants"),
    *("amb.evaluation.predictions", "amb.sizes.counts", "amb.data.sources", "amb.data.tables"),
    *("amb.devices.lease", "amb.training.workers", "amb.status.view", "amb.status.report"),
)


def test_light_modules_do_not_import_torch():
    names = [*LIGHT]
    for package in WITHOUT_TORCH:
        names += [package]
        names += [
            f"{package}.{file.stem}" for file in ROOT.joinpath(*package.split(".")).glob("*.py")
        ]
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    assert 'torch' not in sys.modules, name\n"
    )
    command = [sys.executable, "-c", code, *names]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr


def test_help_names_every_command_without_torch():
    code = (
        "import sys; from amb.cli import COMMANDS, build_parser;"
        "text = build_parser().format_help();"
        "assert all(name in text for name in COMMANDS); print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.stdout.strip() == "False", result.stderr


def test_the_status_needs_neither_pandas_nor_the_parsers_of_other_commands():
    code = (
        "import sys; from amb.cli import main; main(['status', 'demo', '--results', 'nowhere']);"
        "heavy = {'torch', 'pandas', 'numpy', 'snakemake', 'amb.cli.train'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.stdout.splitlines()[-1] == "[]", result.stderr
