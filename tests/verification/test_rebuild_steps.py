"""The list of steps and the workflow's rules make the same files by the same commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from amb.study import load_study
from amb.verification.steps import files_of, steps_of

ROOT = Path(__file__).resolve().parents[2]
# What stands left of the predictions, the record of the study, measurements, and the page, which
# shows the rest and is made of it by whoever has it.
LEFT = re.compile(
    r"(prepare_\w+|check_methods|record_study|collect_costs|write_page|all)"
    r"|(train|evaluate|corrupt|tune|time_methods|measure_fusion)_\w+"
)
SPACE = {"learning_rate": {"low": 1.0e-4, "high": 1.0e-2, "log": True}}
SPEED = {"a": "amb", "b": "finetuned_fusion"}


def full_study(folder, **changes):
    """A study that has every step there is."""
    content = yaml.safe_load((ROOT / "config" / "demo_robustness.yaml").read_text())
    content["name"] = "full"
    content["methods"]["mean_predictor"] = {}
    content["tuning"] = {"trials": 2, "seed": 7, "space": SPACE, "apply": True}
    for name in ("claims.yaml", "published.csv"):
        (folder / name).write_bytes((ROOT / "config" / name).read_bytes())
    content.update(changes)
    file = folder / "full.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file


def options(command):
    """A command by its name and the options it is given, without their values."""
    words = shlex.split(command)
    name = words[: next(n for n, word in enumerate(words) if word[0] == "-")]
    return " ".join(name), {word for word in words if word.startswith("--")}


def planned(plan, study):
    """The rules right of the predictions: the files that they make, and their commands."""
    rules = {rule: text for rule, text in plan.items() if not LEFT.fullmatch(rule)}
    outputs = [re.search(r"output: (.*)", text)[1] for text in rules.values()]
    prefix = f"results/{study.name}/"
    files = {name.removeprefix(prefix) for line in outputs for name in line.split(", ")}
    found = [re.search(r"python -m amb (.*?) > ", text)[1] for text in rules.values()]
    return files, dict(options(command) for command in found)


@pytest.mark.parametrize(
    "changes",
    [{}, {"tuning": None, "corruption": None, "data": None}],
    ids=["every step", "no step that depends on the study"],
)
@pytest.mark.workflow
def test_the_steps_make_what_the_workflow_makes_by_the_same_commands(tmp_path, plan, changes):
    file = full_study(tmp_path)
    if changes:
        content = yaml.safe_load(file.read_text())
        content = {key: value for key, value in content.items() if key not in changes}
        del content["methods"]["mean_predictor"]
        own = {"reader": "label_csv", "label_csv": {"dataset": "other", "file": "none.csv"}}
        file.write_text(yaml.safe_dump({**content, "data": own}, sort_keys=False))
    study = load_study(file)
    files, commands = planned(plan(tmp_path, file), study)
    assert set(files_of(study)) == files, "amb/verification/steps.py and workflow/rules differ"
    ours = dict(
        options(" ".join(step.arguments(study, Path("inputs"), Path("out"))))
        for step in steps_of(study)
    )
    assert ours == commands


def test_no_file_is_made_twice_and_steps_read_only_what_earlier_ones_made(tmp_path):
    study = load_study(full_study(tmp_path))
    made = files_of(study)
    assert len(made) == len(set(made))
    there = set()
    for step in steps_of(study):
        read = {
            word.removeprefix("OUT/")
            for word in step.arguments(study, Path("IN"), Path("OUT"))
            if word.startswith("OUT/")
        }
        files = {name for name in read if "." in name}
        assert files <= there | set(step.makes), step.command
        there |= set(step.makes)
