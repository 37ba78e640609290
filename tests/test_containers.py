"""The container recipes hold the environment that the lock holds."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RECIPES = ("Dockerfile", "amb.def")
# All but what `make audit` has in an environment of its own.
LOCKS = sorted(
    {file.name for file in ROOT.glob("requirements*.lock")} - {"requirements-audit.lock"}
)


def recipe(name):
    return (ROOT / "containers" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_install_what_is_locked_and_nothing_else(name):
    one_line = recipe(name).replace("\\\n", " ")
    installs = re.findall(r"pip install (.+?)(?: &&|$)", one_line, re.MULTILINE)
    named = [word for line in installs for word in line.split() if not word.startswith("-")]
    assert sorted(word for word in named if word != ".") == LOCKS
    for lock in LOCKS:
        assert recipe(name).count(lock) == 2, "copied and installed"


def test_recipes_have_the_same_python_and_the_lock_is_for_it():
    bases = {re.search(r"(?i)^from:? (\S+)", recipe(name), re.MULTILINE)[1] for name in RECIPES}
    assert len(bases) == 1
    python = re.fullmatch(r"docker\.io/library/python:(\d+\.\d+)-slim", bases.pop())[1]
    first = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()[0]
    low, high = re.search(r"Python (\d+\.\d+) to (\d+\.\d+)", first).groups()
    versions = [tuple(map(int, version.split("."))) for version in (low, python, high)]
    assert versions == sorted(versions)


def test_recipes_are_of_the_same_steps():
    def steps(name):
        lines = re.split(r"\n|&&", recipe(name).replace("\\\n", " ").replace(" && ", "\n"))
        words = (" ".join(line.replace("RUN", "").strip(" \\").split()) for line in lines)
        return [line for line in words if line.startswith(("apt-get", "python -m pip", "rm -rf"))]

    docker = steps("Dockerfile")
    assert docker[:-1] == steps("amb.def")
    assert docker[-1].startswith("python -m pip install")
    assert docker[-1].endswith("--editable .")
