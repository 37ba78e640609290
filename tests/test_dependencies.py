"""docs/dependencies.md names what pyproject.toml declares, and what an extra brings is its own."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, files, metadata
from pathlib import Path

import pytest

from amb.cli import main
from amb.failures import EXTRAS

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
# Import names that are not the package's.
DISTRIBUTIONS = {"PIL": "pillow", "cyclonedx": "cyclonedx-python-lib", "sklearn": "scikit-learn"}


def name(requirement):
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-")


def declared(requirements):
    """The packages themselves; our own extras among them stand for others."""
    return {name(one) for one in requirements} - {"amb-suite"}


def documented():
    """What the page says: the rows of every section's table, by section."""
    found = {}
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        title, *lines = section.splitlines()
        rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
        found[title] = [row for row in rows if len(row) > 2 and row[0] not in ("package",)]
    return found


def test_the_page_has_every_package_under_its_extra_and_no_other():
    extras = {key: declared(own) for key, own in PROJECT["optional-dependencies"].items()}
    sections = {
        title: {row[0] for row in rows if not row[0].startswith("-")}
        for title, rows in documented().items()
    }
    assert sections["Always"] == declared(PROJECT["dependencies"])
    assert sections["Extra `workflow`, `cluster`"] == extras["workflow"] | extras["cluster"]
    for extra in extras.keys() - {"workflow", "cluster"}:
        assert sections[f"Extra `{extra}`"] == extras[extra], extra


def licence_of(package):
    """What an installed package states of its licence, wherever it does."""
    stated = metadata(package)
    classifiers = [c for c in stated.get_all("Classifier") or [] if c.startswith("License")]
    return " ".join(
        [stated.get("License-Expression") or "", *classifiers, stated.get("License") or ""]
    )


def licence_file(package):
    """The licence file that an installed package brings, for the few whose metadata say nothing."""
    found = [file for file in files(package) or [] if "licen" in file.name.lower()]
    return found[0].read_text() if found else "no licence at all"


@pytest.mark.parametrize(
    ("package", "licence"),
    [
        (row[0], row[2])
        for rows in documented().values()
        for row in rows
        if not row[0].startswith("-")
    ],
)
def test_the_licence_on_the_page_is_the_one_that_the_package_states(package, licence):
    try:
        stated = licence_of(package)
    except PackageNotFoundError:
        pytest.skip(f"{package} is not installed here")
    if not stated.strip():
        stated = licence_file(package)
    words = {"PSF-like": "Python Software Foundation", "ISC": "ISC", "MPL-2.0": "MPL-2.0"}
    family = words.get(licence, licence.split("-")[0].split(" ")[0])
    assert family in stated, stated


@pytest.mark.parametrize("module", EXTRAS)
def test_an_extra_that_is_named_for_a_package_brings_it(module):
    package = DISTRIBUTIONS.get(module, module.replace("_", "-").lower())
    package = {"markdown-it": "markdown-it-py"}.get(package, package)
    assert package in declared(PROJECT["optional-dependencies"][EXTRAS[module]])


@pytest.mark.parametrize(
    ("module", "extra", "command"),
    [
        ("torch", "train", "check --study s --store s --backbone b --out o"),
        ("matplotlib", "report", "figures --study s --results r --out-dir o"),
        ("jinja2", "report", "page --results r --out o"),
    ],
)
def test_a_command_whose_extra_is_missing_names_it_and_nothing_else(
    module, extra, command, monkeypatch, capsys
):
    def missing(_):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    arguments = command.split()
    monkeypatch.setattr(f"amb.cli.{arguments[0]}.run", missing)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert f'pip install "amb-suite[{extra}]"' in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_without_torch_the_extra_is_named_before_any_file_is_looked_at(
    command, monkeypatch, capsys, tmp_path
):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else find(name)
    )
    folders = [part for name in ("store", "backbone", "runs") for part in (f"--{name}", tmp_path)]
    run_of = ["--study", ROOT / "config" / "demo.yaml", "--method", "amb", "--seeds", "1"]
    assert main([command, *map(str, [*folders, *run_of])]) == 2
    assert 'pip install "amb-suite[train]"' in capsys.readouterr().err


def test_what_the_core_and_the_report_import_is_declared_by_them():
    """Run every import of the commands right of the predictions where the others cannot be had."""
    others = [key for key, extra in EXTRAS.items() if extra != "report"]
    arguments = ["verify", str(ROOT / "results" / "reference" / "demo"), "--no-figures"]
    code = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {others!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
from amb.cli import main
sys.exit(main({arguments!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
