"""The wheel and the sdist as a stranger installs them: what is in them, and that it works alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "results" / "reference" / "demo"
pytestmark = pytest.mark.packaging


def run(*command, cwd=None, **environment):
    own = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=cwd, env={**own, **environment}
    )


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The wheel and the sdist of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    done = run(sys.executable, "-m", "hatchling", "build", "--directory", folder, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="session")
def pins(tmp_path_factory):
    """The locked versions as constraints, so that what is installed is what was tested."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    file = tmp_path_factory.mktemp("pins") / "constraints.txt"
    found = re.findall(r"^([a-z0-9-]+==[^ ]+(?: ; [^\\\n]+)?)", text, flags=re.MULTILINE)
    file.write_text("\n".join(found))
    return file


def interpreter(version):
    """A Python of a version on this machine; None where there is none."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [
        *sorted(root.glob(f"versions/{version}.*/bin/python{version}")),
        *filter(None, [shutil.which(f"python{version}")]),
    ]
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    works = (path for path in candidates if run(path, "-c", "import venv").returncode == 0)
    return next(works, None)


@pytest.fixture(scope="session", params=["3.11", "3.12", "3.13"])
def installed(request, built, pins, tmp_path_factory):
    """A fresh environment with the wheel and its extra ``report``: its Python."""
    found = interpreter(request.param)
    if found is None:
        pytest.skip(f"no Python {request.param} on this machine")
    folder = tmp_path_factory.mktemp(f"env{request.param}")
    assert run(found, "-m", "venv", folder).returncode == 0
    python = folder / "bin" / "python"
    wanted = ["-c", pins, f"{built[0]}[report]"]
    done = run(python, "-m", "pip", "install", "--quiet", *wanted)
    if "No matching distribution" in done.stderr or "ConnectionError" in done.stderr:
        pytest.skip(f"no registry to install from: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return python


def members(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_everything_that_is_read_at_run_time_is_in_the_wheel(built):
    found = members(built[0])
    places = {
        "amb": "amb",
        "baselines": "baselines",
        "workflow/schemas": "amb/schemas",
        "config/presets": "amb/presets_data",
        "workflow/report": "amb/report_captions",
    }
    for place, packed in places.items():
        for file in (ROOT / place).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                name = f"{packed}/{file.relative_to(ROOT / place).as_posix()}"
                assert found.get(name) == file.read_bytes(), name
    assert {"amb/py.typed", "baselines/py.typed"} <= set(found)
    tops = {name.split("/")[0] for name in found}
    assert tops == {"amb", "baselines", next(top for top in tops if top.endswith(".dist-info"))}


def test_the_sdist_has_all_that_the_wheel_is_built_of(built, tmp_path):
    with tarfile.open(built[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    again = tmp_path / "again"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "--directory", again]
    done = run(*command, cwd=source)
    assert done.returncode == 0, done.stderr
    assert members(next(again.glob("*.whl"))) == members(built[0])


def test_results_verify_without_torch(installed, tmp_path):
    amb = installed.with_name("amb")
    done = run(amb, "verify", REFERENCE, "--output", tmp_path / "found.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for module in ("torch", "transformers", "tokenizers", "snakemake"):
        assert run(installed, "-c", f"import {module}").returncode == 1, module


def test_a_page_is_made_without_torch(installed, tmp_path):
    amb = installed.with_name("amb")
    page = tmp_path / "index.html"
    done = run(amb, "page", "--results", REFERENCE, "--out", page, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert "<title>" in text
    assert 'id="verdicts"' in text


def test_a_command_of_another_extra_names_it(installed, tmp_path):
    amb = installed.with_name("amb")
    folders = ["--store", tmp_path, "--backbone", tmp_path, "--runs", tmp_path]
    study = ROOT / "config" / "demo.yaml"
    run_of = ["--method", "amb", "--seeds", "1"]
    done = run(amb, "train", "--study", study, *folders, *run_of, cwd=tmp_path)
    assert done.returncode == 2
    assert 'pip install "amb-suite[train]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_the_types_of_the_package_are_used(installed, tmp_path):
    """``py.typed``: a checker outside believes our annotations."""
    file = tmp_path / "use.py"
    file.write_text("from amb.files import sha256_of\nnumber: int = sha256_of('x')\n")
    mypy = [sys.executable, "-m", "mypy", "--python-executable", installed, file]
    done = run(*mypy, cwd=tmp_path)
    assert 'expected "Path"' in done.stdout
    assert 'expression has type "str"' in done.stdout
