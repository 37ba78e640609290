"""``amb profile``: the training that it watches is the real one, and its times add up."""

import gzip
import json
import math
import re
import sys
import time

import pytest
import torch
import yaml

from amb.cli import main
from amb.files import read_json
from amb.profiling.calls import FRAMES, REST, CallStack, durations
from amb.profiling.clock import HostClock
from amb.profiling.profile import PHASES, profile_row, split_step
from amb.profiling.watch import StepWatch
from amb.training.job import Job
from amb.training.run import build_model, fit, open_context

SEED = 1111


@pytest.fixture
def job(tiny, tmp_path):
    return Job(tiny.file, tiny.store, tiny.backbone, "amb", tmp_path, "cpu")


class ManualClock:
    """A clock that stands still unless it is told to move on."""

    now = 0.0

    def mark(self):
        return self.now

    def milliseconds(self, start, end):
        return end - start

    def wait(self):
        """All marks have been passed."""


class Slow(torch.nn.Module):
    """Takes so many ms by itself, some before its children and some after."""

    def __init__(self, clock, ms, *children):
        super().__init__()
        self.clock, self.ms = clock, ms
        self.children_of = torch.nn.ModuleList(children)

    def forward(self, values):
        self.clock.now += self.ms / 2
        for child in self.children_of:
            values = child(values)
        self.clock.now += self.ms / 2
        return values


def test_exclusive_time_is_what_the_calls_inside_leave():
    clock = ManualClock()
    leaf = Slow(clock, 3)
    model = Slow(clock, 10, Slow(clock, 4, leaf, leaf), Slow(clock, 5))
    outputs = []
    stack = CallStack(clock, outputs.append)
    handles = stack.attach(model)
    model(torch.ones(2))
    for handle in handles:
        handle.remove()
    inclusive, exclusive = durations(stack.calls, clock)
    assert inclusive == [25, 10, 3, 3, 5]
    assert exclusive == [10, 4, 3, 3, 5]
    assert [call.parent for call in stack.calls] == [None, 0, 1, 1, 0]
    assert len(outputs) == 1
    model(torch.ones(2))
    assert len(stack.calls) == 5  # the hooks are off


def test_watching_changes_no_bit_of_the_training(job):
    reference, watched = build_model(job, SEED), build_model(job, SEED)
    expected = fit(job, [reference], [SEED], lambda *_: None)[0][0]
    watch = StepWatch(HostClock(), warmup=0, steps=1000)
    with watch.on(watched):
        found = fit(job, [watched], [SEED], lambda *_: None)[0][0]
    assert not watch.done  # the training ended first
    assert [epoch.train_loss for epoch in found.curve] == [e.train_loss for e in expected.curve]
    for name, value in expected.state.items():
        assert torch.equal(found.state[name], value), name


def test_steps_with_hooks_on_every_module_change_no_bit_either(job):
    reference, watched = build_model(job, SEED), build_model(job, SEED)
    fit(job, [reference], [SEED], lambda *_: None)  # two epochs of three steps
    watch = StepWatch(HostClock(), warmup=0, steps=2)
    with watch.on(watched):
        fit(job, [watched], [SEED], lambda *_: None)
    # Of the six steps, the first of an epoch is not counted; the last two have all hooks.
    assert (watch.done, len(watch.whole), len(watch.watched)) == (True, 2, 2)
    for (name, value), expected in zip(
        watched.named_parameters(), reference.parameters(), strict=True
    ):
        assert torch.equal(value, expected), name


def test_hooks_are_gone_in_the_end(job):
    model = build_model(job, SEED)
    with StepWatch(HostClock(), warmup=0, steps=1).on(model):
        fit(job, [model], [SEED], lambda *_: None)
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
    hooks = sys.modules["torch.optim.optimizer"]
    assert not hooks._global_optimizer_pre_hooks
    assert not hooks._global_optimizer_post_hooks


@pytest.fixture(scope="module")
def profile(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("profile")
    job = Job(tiny.file, tiny.store, tiny.backbone, "amb", folder, "cpu")
    return profile_row(job, SEED, steps=6, warmup=1)


def test_phases_add_up_to_the_step_and_parts_to_the_forward_pass(job):
    watch, clock = StepWatch(HostClock(), warmup=0, steps=2), HostClock()
    model = build_model(job, SEED)
    with watch.on(model):
        fit(job, [model], [SEED], lambda *_: None)
    for step in watch.watched:
        phases, parts = split_step(step, clock)
        assert tuple(phases) == PHASES
        assert all(ms >= 0 for ms in (*phases.values(), *parts.values()))
        assert sum(phases.values()) == pytest.approx(clock.milliseconds(step.begin, step.end))
        assert sum(parts.values()) == pytest.approx(phases["forward"])


def test_every_part_of_amb_is_there(profile):
    parts = {row["name"] for row in profile["parts"]}
    assert parts >= {"embeddings", "attention", "feed-forward", "adapters", "fusion", "head"}
    assert parts >= {"audio-visual encoder", REST}
    assert FRAMES not in parts  # it is a phase of its own
    for row in profile["phases"]:
        assert row["share"] == pytest.approx(row["ms"] / profile["hooked_step_ms"])


def test_modules_of_all_layers_stand_in_one_row(profile):
    modules = {row["name"]: row for row in profile["modules"]}
    assert modules["backbone.encoder.layer.*.attention"]["calls"] == 2
    assert modules["fusion.*"]["calls"] == 2
    assert modules["model"]["calls"] == 1
    assert {"frames of audio", "frames of visual"} <= modules.keys()
    for row in modules.values():
        assert row["inclusive_ms"] >= row["exclusive_ms"] - 1e-6, row["name"]
    exclusive = [row["exclusive_ms"] for row in profile["modules"]]
    assert exclusive == sorted(exclusive, reverse=True)


def test_time_spent_in_a_module_is_found_there(job, monkeypatch):
    from amb.model.fusion import FusionLayer

    forward = FusionLayer.forward

    def slow(self, *arguments):
        time.sleep(0.02)
        return forward(self, *arguments)

    monkeypatch.setattr(FusionLayer, "forward", slow)
    found = profile_row(job, SEED, steps=3, warmup=1)
    parts = {row["name"]: row["ms"] for row in found["parts"]}
    assert parts["fusion"] >= 40  # two layers
    assert found["step_ms"] >= 40
    modules = {row["name"]: row["exclusive_ms"] for row in found["modules"]}
    assert modules["fusion.*"] >= 40


def test_throughput_is_that_of_the_steps_without_hooks(profile, job):
    assert profile["batch_size"] == 12
    assert profile["steps_per_epoch"] == math.ceil(len(open_context(job).splits["train"]) / 12)
    assert profile["utterances_per_s"] == pytest.approx(12_000 / profile["step_ms"])
    assert profile["word_pieces_per_s"] > 3 * profile["utterances_per_s"]


def command(tiny, *more):
    inputs = ["--store", str(tiny.store), "--backbone", str(tiny.backbone), "--gpus", "0"]
    return ["profile", str(tiny.file), *map(str, more), *inputs]


def test_the_command_prints_tables_and_writes_numbers_and_a_trace(tiny, tmp_path, capsys):
    files = tmp_path / "profile.json", tmp_path / "trace.json.gz"
    numbers = ["--steps", 2, "--warmup", 1, "--output", files[0], "--trace", files[1]]
    assert main(command(tiny, "finetuned_late", *numbers)) == 0
    printed = capsys.readouterr().out
    assert re.search(r"An epoch of a seed: \d+ steps, about \d+ s, and validation", printed)
    for text in ("utterances/s", "word-pieces/s", "backward", "optimiser", "attention"):
        assert text in printed
    written = read_json(files[0])
    assert (written["method"], written["steps"], written["seed"]) == ("finetuned_late", 2, SEED)
    with gzip.open(files[1], "rt") as handle:
        events = {event.get("name") for event in json.load(handle)["traceEvents"]}
    assert "backbone.encoder.layer.0.attention" in events
    assert "aten::layer_norm" in events


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["gone"], "methods: found 'gone'"),
        (["amb", "--steps", "0"], "--steps: found 0, expected at least 1"),
        (["amb", "--store", "nowhere"], "nowhere: store: found 'nothing'"),
    ],
)
def test_what_cannot_be_profiled_is_named(tiny, capsys, more, message):
    arguments = command(tiny, *more)
    if "nowhere" in more:
        arguments = ["profile", str(tiny.file), *more, "--gpus", "0"]
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_row_without_steps_is_refused(tiny, tmp_path, capsys):
    content = yaml.safe_load(tiny.file.read_text())
    content["methods"]["mean_predictor"] = {}
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(content))
    arguments = command(tiny, "mean_predictor")
    arguments[1] = str(study)
    assert main(arguments) == 2
    assert "mean_predictor: found 'fitted in closed form'" in capsys.readouterr().err


@pytest.mark.parametrize("method", ["misa", "self_mm", "decision_fusion", "late_fusion"])
def test_methods_with_a_loss_of_their_own_can_be_profiled(tiny, tmp_path, method):
    content = yaml.safe_load(tiny.file.read_text())
    content["methods"][method] = {}
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(content))
    job = Job(study, tiny.store, tiny.backbone, method, tmp_path, "cpu")
    found = profile_row(job, SEED, steps=2, warmup=1)
    assert sum(row["ms"] for row in found["phases"]) > 0
    assert found["parts"]
