"""Every command in the documentation is run, planned or parsed for real; none is left out.

``RULES`` says which of these holds for which command. A command that no rule covers fails.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from doc_commands import ROOT, commands, inline_commands
from snakemake_command import PROJECT, snakemake

from amb.cli import COMMANDS, build_parser, main

RUN, PARSE, SHELL = "run", "parse", "shell"
PLAN, READ = "plan", "read"  # Snakemake: a dry run; its arguments and the study alone
MAKE, PYTEST, BENCHMARK, ELSEWHERE = "make", "pytest", "benchmark", "elsewhere"

# The first that fits. ``run``: by `amb` itself, in a folder with the reference of the demo as
# results/demo; ``parse``: the arguments, by amb's own parser, because it trains, needs data of the
# user's, or has tests of its own; ``shell``: run by bash; ``elsewhere``: cannot run here, and why.
RULES: tuple[tuple[str, str, str], ...] = (
    (RUN, r"amb presets\b.*", ""),
    (RUN, r"amb data layouts", ""),
    (RUN, r"amb metrics (list|rank-by-variant .*results/demo.*)", ""),
    (RUN, r"amb (show|status|trace) (results/)?demo\b.*", ""),
    (RUN, r"amb power --study config/demo.yaml .*", ""),
    (PARSE, r"amb .*", ""),
    (READ, r"(\w+=\S+ )?snakemake --cores all --resources gpu=\d+( --config study=\w+( -n)?)?", ""),
    (PLAN, r"snakemake .*", ""),
    (MAKE, r"make .*", ""),
    (PYTEST, r"(\S+ )?(\S*/)?python (-m pytest|tests/reporting/pictures.py) .*", ""),
    (BENCHMARK, r"python -m benchmarks\..*", ""),
    (SHELL, r"sed -e .*|grep .*", ""),
    (ELSEWHERE, r"sed -i.bak .*my_study.yaml", "test_add_a_claim does it"),
    (ELSEWHERE, r"\. .venv/bin/activate", "the environment of the tests is active"),
    (ELSEWHERE, r"git (add|commit|clone) .*|cd .*", "of the user's repository"),
    (ELSEWHERE, r"(mkdir|cp|export) .*/my/data.*", "a folder of the user's"),
    (ELSEWHERE, r"python -m webbrowser .*", "opens a window"),
    (ELSEWHERE, r".*\bpip install .*|python3.11 -m venv .*", "asks a package index"),
    (ELSEWHERE, r"(docker|apptainer) .*", "no image can be built here"),
    (ELSEWHERE, r"rocrate-validator .*", "wants an environment of its own"),
)
# Files that a page has just told the reader to write.
WRITTEN_BY_READER = ("my_study.yaml", "my_claims.yaml")


# Of commands that differ in their study alone, the first is planned; the others are read.
PLANNED = {
    re.sub(r"study=\w+", "study=", command.text): command
    for command in reversed(commands())
    if "snakemake" in command.text
}.values()


def rule_of(command):
    for kind, pattern, _ in RULES:
        if re.fullmatch(pattern, command.text):
            return READ if kind == PLAN and command not in PLANNED else kind
    pytest.fail(f"{command.page}: no rule covers `{command.text}`; add one to RULES")


def of_kind(kind):
    return [
        pytest.param(command, id=command.text)
        for command in commands()
        if any(re.fullmatch(pattern, command.text) for _, pattern, _ in RULES)
        and rule_of(command) == kind
    ]


def test_every_command_has_a_rule_and_every_rule_a_command():
    found = commands()
    assert len(found) > 60
    kinds = [rule_of(command) for command in found]
    assert len(kinds) == len(found)
    for _, pattern, _ in RULES:
        assert any(re.fullmatch(pattern, command.text) for command in found), pattern


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A reader's folder: the studies, and the demo's results."""
    place = tmp_path_factory.mktemp("reader")
    for name in ("config", "baselines", "amb"):
        (place / name).symlink_to(ROOT / name) if name != "config" else shutil.copytree(
            ROOT / name, place / name
        )
    shutil.copytree(ROOT / "results" / "reference" / "demo", place / "results" / "demo")
    return place


@pytest.mark.parametrize("command", of_kind(RUN))
def test_it_runs(command, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    arguments = [word for word in command.words[1:] if word != "--watch"]  # runs until it is done
    status = main(arguments)
    printed = capsys.readouterr()
    assert status == 0, printed.err
    assert printed.out.strip()


@pytest.mark.parametrize("command", of_kind(SHELL))
def test_the_shell_runs_it(command, folder):
    done = subprocess.run(["bash", "-c", command.text], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", of_kind(PARSE))
def test_its_arguments_are_understood(command):
    words = command.words[1:]
    if "…" in words:
        assert_options_exist(command)
        return
    parsed = build_parser(words[0]).parse_args(words)
    for value in vars(parsed).values():
        if isinstance(value, Path) and value.parts[:1] == ("config",):
            assert (ROOT / value).exists() or value.name in WRITTEN_BY_READER, command


@pytest.mark.parametrize("command", [pytest.param(c, id=c.text) for c in inline_commands()])
def test_commands_in_running_text_exist(command):
    assert_options_exist(command)


def assert_options_exist(command):
    """A command that is not given in full: its subcommands and options are amb's."""
    words = [word for word in command.words[1:] if word != "…"]
    if words[0].startswith("--"):
        assert words[0] in build_parser().format_help()
        return
    assert words[0] in COMMANDS, command
    parser = subparser(build_parser(words[0]), words[0])
    if len(words) > 1 and subparsers_of(parser) and not words[1].startswith("-"):
        parser = subparser(parser, words[1])
    options = [word for word in words if word.startswith("--")]
    assert set(options) <= set(parser._option_string_actions), command


def subparsers_of(parser):
    return [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]


def subparser(parser, name):
    (action,) = subparsers_of(parser)
    assert name in action.choices, f"{name}: not one of {', '.join(action.choices)}"
    return action.choices[name]


def settings_of(command):
    """The study that a call of Snakemake names, as Snakemake itself reads it."""
    from snakemake.cli import get_argument_parser

    with contextlib.redirect_stderr(io.StringIO()):
        parsed = get_argument_parser().parse_args(command.words[1:])
    return parsed, dict(word.split("=", 1) for word in parsed.config or [])


@pytest.mark.parametrize("command", of_kind(READ))
def test_the_workflow_knows_its_study(command):
    """The plan of every study of config/ has a test of its own (tests/workflow)."""
    parsed, settings = settings_of(command)
    assert parsed.resources is not None
    study = f"{settings.get('study', 'demo')}.yaml"
    assert (ROOT / "config" / study).is_file() or study in WRITTEN_BY_READER


@pytest.mark.parametrize("command", of_kind(PLAN))
def test_the_workflow_plans_it(command, folder):
    study = folder / "config" / "my_study.yaml"
    if "my_study" in command.text and not study.exists():
        study.write_text(my_study(), encoding="utf-8")
    _, *given = command.words
    done = snakemake("-n", "--quiet=all", *PROJECT, *given, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def my_study():
    """The study of docs/add-a-method.md, made by its own command."""
    into = " > config/my_study.yaml"
    (text,) = (c.text.removesuffix(into) for c in commands() if c.text.endswith(into))
    return subprocess.run(
        ["bash", "-c", text], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("command", of_kind(MAKE))
def test_make_has_the_target(command):
    words = ["make", "-n", *command.words[1:]]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("command", of_kind(PYTEST))
def test_its_tests_exist(command):
    paths = [word for word in command.words if word.startswith("tests/")]
    assert paths
    for path in paths:
        assert (ROOT / path).exists(), path
    names = [command.words[n + 1] for n, word in enumerate(command.words) if word == "-k"]
    for name in names:
        sources = ROOT.glob("tests/**/*.py")
        assert name == "my_method" or any(name in file.read_text("utf-8") for file in sources)


class _ParsedError(Exception):
    """The arguments were understood; nothing is measured."""


@pytest.mark.parametrize("command", of_kind(BENCHMARK))
def test_the_benchmark_takes_its_arguments(command, monkeypatch):
    module = importlib.import_module(command.words[2])
    original = argparse.ArgumentParser.parse_args

    def parse(self, arguments=None, namespace=None):
        original(self, arguments, namespace)
        raise _ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse)
    monkeypatch.setattr(sys, "argv", [command.words[2], *command.words[3:]])
    with pytest.raises(_ParsedError):
        module.main()


def test_settings_before_a_program_are_no_words_of_it():
    assert shlex.split("A=1 snakemake -n")[0] == "A=1"
    assert all("=" not in command.words[0] for command in commands())
