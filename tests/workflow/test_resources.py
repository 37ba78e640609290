"""What rules ask of the machine that runs them."""

import re
from pathlib import Path

import pytest
import yaml

from amb.study import load_study
from amb.workload import workload_of

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.workflow


def resources(lines):
    found = re.search(r"resources: (.*)", lines)[1]
    return dict(pair.split("=", 1) for pair in found.split(", ") if "=" in pair)


def test_training_asks_for_what_the_study_needs(tmp_path, tiny, plan):
    asked = resources(plan(tmp_path, tiny.file)["train_amb_0"])
    load = workload_of(load_study(tiny.file))
    assert int(asked["runtime"]) == load.minutes(epochs=2, seeds=2, workers=1, gpus=0)
    assert int(asked["mem_mb"]) == load.memory_mb(1)


def test_a_longer_training_asks_for_more_time(tmp_path, tiny, plan):
    content = yaml.safe_load(tiny.file.read_text())
    content["methods"]["amb"] = {"training": {"max_epochs": 5000}}
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(content, sort_keys=False))
    planned = plan(tmp_path, study)
    long, short = (
        int(resources(planned[f"train_{m}_0"])["runtime"]) for m in ("amb", "finetuned_late")
    )
    assert long > 10 * short


def test_every_retry_asks_for_twice_as_much(tmp_path, tiny, plan):
    first, third = (
        resources(plan(tmp_path, tiny.file, "--attempt", str(attempt))["train_amb_0"])
        for attempt in (1, 3)
    )
    for name in ("runtime", "mem_mb"):
        assert int(third[name]) == 4 * int(first[name])


def test_times_can_be_scaled_and_are_never_none(tmp_path, tiny, plan):
    def runtime(scale):
        planned = plan(tmp_path, tiny.file, runtime_scale=scale)
        return int(resources(planned["train_amb_0"])["runtime"])

    assert [runtime(scale) for scale in (1, 3, 0.001)] == [11, 33, 1]
