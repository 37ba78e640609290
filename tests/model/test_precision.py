"""What bfloat16 touches in a model, and what it does not."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from amb.model.bert import BertEncoder
from amb.model.precision import BF16, precision_of, set_precision, use_matmul_precision
from amb.training.job import Job
from amb.training.run import build_model, open_context

CPU = torch.device("cpu")


@pytest.fixture
def job_of(tiny, tmp_path):
    """Make the job of a row, with a builder, options and a precision."""

    def make(builder: str, options: str = "{}", precision: str = BF16) -> Job:
        row = f"{{builder: {builder}, options: {options}, training: {{precision: {precision}}}}}"
        content = tiny.file.read_text(encoding="utf-8")
        file = tmp_path / f"{precision}.yaml"
        content = content.replace("methods:\n", f"methods:\n  under_test: {row}\n")
        file.write_text(content, encoding="utf-8")
        return Job(file, tiny.store, tiny.backbone, "under_test", tmp_path / "runs", "cpu")

    return make


def batch_of(job: Job):
    return open_context(job).splits["train"].batch(torch.arange(9))


def seen_types(model: nn.Module, batch) -> dict[str, set[torch.dtype]]:
    """The types of what modules return in a forward pass, by the module's class."""
    seen: dict[str, set[torch.dtype]] = {}

    def note(module, _, output):
        if isinstance(output, torch.Tensor):
            seen.setdefault(type(module).__name__, set()).add(output.dtype)

    handles = [module.register_forward_hook(note) for module in model.modules()]
    prediction = model(batch)
    for handle in handles:
        handle.remove()
    return {**seen, "prediction": {prediction.dtype}}


def test_float32_is_the_default_and_leaves_a_model_alone(job_of):
    model = build_model(job_of("amb", precision="float32"), 1)
    assert precision_of(model) == "float32"
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert set().union(*seen_types(model, batch_of(job_of("amb"))).values()) == {torch.float32}


def test_frozen_maps_are_rounded_once_and_nothing_else_is(job_of):
    job = job_of("amb")
    model = build_model(job, 1)
    assert precision_of(model) == BF16
    rounded = {n for n, p in model.named_parameters() if p.dtype == torch.bfloat16}
    maps = {
        f"backbone.{name}.{part}"
        for name, module in model.backbone.named_modules()
        if isinstance(module, nn.Linear)
        for part in ("weight", "bias")
    }
    assert rounded == maps
    assert not any(p.requires_grad for n, p in model.named_parameters() if n in rounded)


def test_master_weights_and_gradients_of_a_fine_tuned_bert_are_float32(job_of):
    job = job_of("finetuned_text")
    model = build_model(job, 1)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    model.eval().loss(batch_of(job)).backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert {gradient.dtype for gradient in gradients} == {torch.float32}
    assert len(gradients) > 30


@pytest.mark.parametrize("builder", ["amb", "finetuned_fusion", "late_fusion", "misa", "mult"])
def test_norms_heads_and_recurrent_layers_stay_float32(job_of, builder):
    job = job_of(builder)
    model = build_model(job, 1).eval()
    types = seen_types(model, batch_of(job))
    assert torch.bfloat16 in types["Linear"]  # BERT's
    assert types["LayerNorm"] == types["BertLayer" if "BertLayer" in types else "LayerNorm"]
    assert types["LayerNorm"] == types["prediction"] == {torch.float32}


def test_a_softmax_over_bfloat16_scores_is_of_float32(job_of, monkeypatch):
    job = job_of("finetuned_text")
    model = build_model(job, 1).eval()
    softmax, seen = torch.Tensor.softmax, set()

    def watched(self, *arguments, **named):
        weights = softmax(self, *arguments, **named)
        seen.add((self.dtype, weights.dtype))
        return weights

    monkeypatch.setattr(torch.Tensor, "softmax", watched)
    model(batch_of(job))
    assert seen == {(torch.bfloat16, torch.float32)}


@pytest.mark.parametrize("builder", ["amb", "finetuned_text", "lmf"])
def test_predictions_are_near_those_of_float32(job_of, builder):
    exact, rounded = (build_model(job_of(builder, precision=p), 1) for p in ("float32", BF16))
    batch = batch_of(job_of(builder))
    with torch.no_grad():
        difference = (exact.eval()(batch) - rounded.eval()(batch)).abs().max()
    assert 0 < difference < 2e-2


def test_a_row_without_bert_is_the_same_in_both(job_of):
    options = "{modality: audio}"
    models = [build_model(job_of("unimodal", options, p), 1).eval() for p in ("float32", BF16)]
    batch = batch_of(job_of("unimodal", options))
    assert torch.equal(models[0](batch), models[1](batch))
    assert precision_of(models[1]) == "float32"
    assert not any(isinstance(module, BertEncoder) for module in models[1].modules())


@pytest.mark.parametrize("wanted", ["highest", "high", "medium"])
def test_float32_products_are_float32_on_every_cpu(wanted):
    """At ``medium`` a CPU with AMX would round factors to bfloat16."""
    before = torch.get_float32_matmul_precision()
    try:
        assert use_matmul_precision(wanted, CPU) == torch.get_float32_matmul_precision()
        torch.manual_seed(0)
        a, b = torch.randn(60, 384), torch.randn(384, 200)
        exact = a.double() @ b.double()
        assert float((a @ b - exact).norm() / exact.norm()) < 1e-6
        # What a GPU may do is not this CPU's business.
        assert use_matmul_precision(wanted, torch.device("cuda")) == wanted
    finally:
        torch.set_float32_matmul_precision(before)


def test_setting_a_precision_twice_is_setting_it_once(job_of):
    job = job_of("amb")
    once, twice = build_model(job, 1), build_model(job, 1)
    set_precision(twice, BF16)
    other = twice.state_dict()
    assert all(torch.equal(value, other[name]) for name, value in once.state_dict().items())
