"""The lock files pin what pyproject.toml asks for, every file of it by its hash."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def script(name):
    """A program of ``.ci``, imported."""
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lock, audit = script("lock"), script("audit")


def pins():
    """Locked packages and their versions."""
    found = {}
    for file in LOCKS:
        for package, block in lock.entries(file.read_text(encoding="utf-8")).items():
            found[package] = {version for _, version in lock.PIN.findall(block)}
    return found


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.name)
def test_every_package_has_hashes_and_nothing_else_is_in_the_file(file):
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    pin = r"[a-z0-9-]+==[A-Za-z0-9.+!]+( ; [^\\]+)? \\"
    assert all(re.fullmatch(rf"{pin}|    --hash=sha256:[0-9a-f]{{64}}( \\)?", x) for x in lines)
    blocks = re.split(r"^(?=[a-z0-9])", "\n".join(lines), flags=re.MULTILINE)
    assert all(lock.HASH.search(block) for block in blocks if block.strip())


def test_what_the_project_asks_for_is_locked_within_its_range():
    locked = pins()
    extras = [one for own in PROJECT["optional-dependencies"].values() for one in own]
    for text in (*PROJECT["dependencies"], *extras):
        wanted = Requirement(text)
        if wanted.name == "amb-suite":
            continue
        versions = locked[canonicalize_name(wanted.name)]
        assert all(wanted.specifier.contains(version) for version in versions), text


def test_the_lock_of_torch_accepts_the_registrys_wheels_and_a_cpu_build():
    (block,) = lock.entries((ROOT / "requirements-torch.lock").read_text()).values()
    assert len(lock.HASH.findall(block)) > 10
    assert "torch==2.13.0" in block


def test_no_cuda_library_is_in_the_lock_that_everybody_installs():
    names = lock.entries((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert len(names) > 100
    assert not [name for name in names if lock.CUDA.match(name)]


def test_hashes_are_added_once():
    block = "torch==2.13.0 \\\n    --hash=sha256:" + "a" * 64 + "\n"
    more = ["sha256:" + "b" * 64, "sha256:" + "a" * 64]
    once = lock.with_hashes(block, more)
    assert once.splitlines()[0] == "torch==2.13.0 \\"
    assert once.count("--hash") == 2
    assert lock.with_hashes(once, more) == once


def answering(folder, content):
    """A program in place of pip-audit that answers with the given content, or cannot answer."""
    program = folder / "pip-audit"
    answer = f"printf '%s' '{content}' > \"$8\"; exit 1" if content else "exit 1"
    program.write_text(f"#!/bin/sh\necho 'ERROR: no route to host' >&2\n{answer}\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("content", "required", "status", "printed"),
    [
        ('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', False, 0, "0 known"),
        (
            '{"dependencies": [{"name": "a", "version": "1", "vulns": '
            '[{"id": "PYSEC-1", "fix_versions": ["2.0"]}]}]}',
            False,
            1,
            "a 1: PYSEC-1 (corrected in 2.0)",
        ),
        ("", False, 0, "requirements.lock COULD NOT BE CHECKED for known holes: ERROR: no route"),
        ("", True, 1, "COULD NOT BE CHECKED"),
    ],
)
def test_the_audit_tells_holes_from_silence(
    tmp_path, monkeypatch, capsys, content, required, status, printed
):
    program = answering(tmp_path, content)
    monkeypatch.setattr("sys.argv", ["audit", program, *(["--required"] if required else [])])
    assert audit.main() == status
    assert printed in capsys.readouterr().out
