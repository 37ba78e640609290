"""Every method through the same contract: a new file in baselines/ is covered by being there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from amb.data.frames import Frames
from amb.errors import InputError
from amb.model.method import FeatureShape, find_builder
from amb.study import KNOWN_BUILDERS, TrainingSettings
from amb.training.check import check_method
from amb.training.checkpoint import load_checkpoint, save_checkpoint
from amb.training.job import Job
from amb.training.optimiser import build_optimiser
from amb.training.run import build_model, open_context

BASELINES = Path(__file__).resolve().parents[2] / "baselines"
# A transformer normed after its residuals sticks at a constant at the others' rate.
RATES = {"misa": 1e-3}
METHODS = ["amb", *sorted(p.stem for p in BASELINES.glob("*.py") if p.stem != "__init__")]


@pytest.fixture(params=METHODS)
def job(request, tiny, tmp_path):
    """A job of the tiny study; methods that its file does not name get the default options."""
    content = tiny.file.read_text(encoding="utf-8")
    file = tmp_path / "study.yaml"
    name = request.param
    missing = f"  {name}: {{}}\n" if f"  {name}:" not in content else ""
    file.write_text(content.replace("methods:\n", "methods:\n" + missing), encoding="utf-8")
    return Job(file, tiny.store, tiny.backbone, name, tmp_path / "runs", "cpu")


@pytest.fixture
def batch(job):
    return open_context(job).splits["train"].batch(torch.arange(9))


def teach(model, job, batch, learning_rate):
    """Change all that training changes, a little: some steps, or the fit in closed form."""
    model.begin_training(open_context(job).splits["train"])
    if not model.trains_by_gradient:
        return
    settings = TrainingSettings(max_epochs=1, learning_rate=learning_rate)
    optimiser = build_optimiser(model, settings)
    # Several steps: zero-initialised projections block the first gradient, and Self-MM's unimodal
    # tasks have no weight before the third.
    for epoch in (1, 2, 3):
        model.begin_epoch(epoch)
        optimiser.zero_grad()
        model.loss(batch).backward()
        optimiser.step()


def test_builds_and_every_trainable_parameter_gets_a_gradient(job):
    counts = check_method(job)
    assert 0 < counts["trainable"] <= counts["total"]


def test_one_prediction_an_utterance_whatever_stands_beside_it(job, batch):
    model = build_model(job, 1).eval()
    data = open_context(job).splits["train"]
    with torch.no_grad():
        together = model(batch)
        reversed_order = model(data.batch(torch.arange(8, -1, -1))).flip(0)
        alone = torch.cat([model(data.batch(torch.tensor([row]))) for row in range(9)])
    assert together.shape == (9,)
    torch.testing.assert_close(reversed_order, together, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=1e-4)


def test_padding_holds_nothing_that_is_read(job, batch):
    model = build_model(job, 1).eval()
    frames = {
        m: Frames(torch.where(f.mask.unsqueeze(-1), f.values, 1e3), f.mask)
        for m, f in batch.frames.items()
    }
    token_ids = torch.where(batch.token_mask, batch.token_ids, 2054)
    polluted = replace(batch, token_ids=token_ids, frames=frames)
    with torch.no_grad():
        torch.testing.assert_close(model(polluted), model(batch), atol=1e-5, rtol=1e-4)


def test_only_the_declared_parameters_change_after_a_step(job, batch):
    model = build_model(job, 1).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    teach(model, job, batch, learning_rate=1e-2)
    trainable = set(model.learned_state())
    changed = {n for n, v in model.state_dict().items() if not torch.equal(v, before[n])}
    assert changed <= trainable
    if model.trains_by_gradient:  # a fit may find that a parameter is right as it is
        assert {name for name in trainable if "key.bias" not in name} <= changed


def test_checkpoint_restores_predictions_under_another_seed(job, batch, tmp_path):
    backbone = open_context(job).backbone
    model = build_model(job, 1).train()
    teach(model, job, batch, learning_rate=5e-4)
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, model.learned_state(), {}, {"backbone_sha256": backbone.sha256})
    other = build_model(job, 2)
    load_checkpoint(path, other, backbone.sha256)
    with torch.no_grad():
        assert torch.equal(other.eval()(batch), model.eval()(batch))
    with pytest.raises(InputError, match=rf"backbone_sha256: found '{backbone.sha256}'"):
        load_checkpoint(path, other, "0" * 64)


def test_initial_weights_depend_on_the_seed_alone(job):
    models = [build_model(job, seed) for seed in (1, 1, 2)]
    first, again, other = (model.state_dict() for model in models)
    assert all(torch.equal(first[name], again[name]) for name in first)
    if models[0].trains_by_gradient:  # what is fitted in closed form need not begin anywhere
        assert any(not torch.equal(first[name], other[name]) for name in first)


def test_learns_a_few_utterances_by_heart_or_nearly(job):
    data = open_context(job).splits["train"]
    batch = data.batch(torch.arange(16))
    model = build_model(job, 1).train()
    if not model.trains_by_gradient:
        pytest.skip("fitted in closed form: its steps lead nowhere")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    rate = RATES.get(job.method, 5e-3)
    settings = TrainingSettings(max_epochs=1, learning_rate=rate, backbone_learning_rate=2e-3)
    optimiser = build_optimiser(model, settings)
    for _ in range(150):
        optimiser.zero_grad()
        loss = model.loss(batch)
        loss.backward()
        optimiser.step()
    constant = (batch.labels - batch.labels.median()).abs().mean()
    assert (
        loss < 0.7 * constant
    )  # a linear head on frozen BERT reaches .56, the shipped rows less than .1


def test_no_method_but_the_oracle_is_shown_test_labels(job):
    assert build_model(job, 1).reads_labels == (job.method == "label_oracle")


def test_unknown_options_are_refused_by_name(job):
    context = open_context(job)
    with pytest.raises(InputError, match=r"options.bottelneck: found 3, expected only"):
        find_builder(job.method)({"bottelneck": 3}, context.backbone, context.features)


FUSING = [name for name in METHODS if name not in ("finetuned_text", "unimodal", *KNOWN_BUILDERS)]


@pytest.mark.parametrize("method", FUSING)
def test_a_fusing_method_refuses_data_without_audio_and_visual(method, tiny, tmp_path):
    context = open_context(Job(tiny.file, tiny.store, tiny.backbone, "amb", tmp_path, "cpu"))
    with pytest.raises(InputError, match=rf"found 'text only'.*{method}"):
        find_builder(method)({}, context.backbone, FeatureShape({}, {}))


def test_an_unknown_method_names_the_file_that_is_missing():
    with pytest.raises(InputError, match=r"found 'tpyo', expected amb or a file baselines/tpyo.py"):
        find_builder("tpyo")
