"""K seeds as one model are K seeds: every row, parameter by parameter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from amb.data.batches import SplitData
from amb.model.method import SentimentModel
from amb.model.precision import precision_of
from amb.training.job import Job
from amb.training.loop import train, train_seeds
from amb.training.pack import InTurn, Pack, PackedLayerNorm, PackedLinear, UnpackableError
from amb.training.run import build_model, open_context
from amb.training.seen_embedding import train_seen_rows_only

BASELINES = Path(__file__).resolve().parents[2] / "baselines"
IN_CLOSED_FORM = {"mean_predictor", "majority_class", "label_oracle"}
WITH_A_LOSS_OF_THEIR_OWN = {"misa", "self_mm", "decision_fusion"}
ROWS = ["amb", *sorted(p.stem for p in BASELINES.glob("*.py") if p.stem != "__init__")]
TRAINED = [row for row in ROWS if row not in IN_CLOSED_FORM | WITH_A_LOSS_OF_THEIR_OWN]
MUST_PACK = {
    "amb", "finetuned_fusion", "finetuned_late", "finetuned_text", "late_fusion", "lmf", "mag_bert",
    "mult", "tfn", "unimodal",
}  # fmt: skip
SEEDS = [3, 1, 4]


@pytest.fixture
def job_of(tiny, tmp_path):
    """Make the job of a row, with options."""

    def make(row: str, options: str = "{}", training: str = "{}") -> Job:
        content = tiny.file.read_text(encoding="utf-8")
        file = tmp_path / "study.yaml"
        own = f"{{builder: {row}, options: {options}, training: {training}}}"
        line = f"methods:\n  row_of_this_test: {own}\n"
        file.write_text(content.replace("methods:\n", line), encoding="utf-8")
        return Job(file, tiny.store, tiny.backbone, "row_of_this_test", tmp_path / "runs", "cpu")

    return make


def doubled(data: SplitData) -> SplitData:
    """The same data in float64."""
    frames = {
        m: replace(
            own,
            raw=replace(own.raw, values=own.raw.values.double()),
            mean=None if own.mean is None else own.mean.double(),
            std=None if own.std is None else own.std.double(),
        )
        for m, own in data.frames.items()
    }
    return replace(data, frames=frames, labels=data.labels.double())


def fresh(job: Job, seed: int) -> SentimentModel:
    model = build_model(job, seed)
    train_seen_rows_only(model, open_context(job).splits["train"].token_ids.own_values())
    return model.double()


def assert_packed_equals_alone(job: Job, tolerance: float = 1e-9) -> None:
    context = open_context(job)
    train_data, valid_data = (doubled(context.splits[s]) for s in ("train", "valid"))
    settings = replace(context.study.methods[job.method].training, max_epochs=3, patience=3)
    packed = [fresh(job, seed) for seed in SEEDS]
    together = train_seeds(
        packed, SEEDS, train_data, valid_data, settings, lambda seed, epoch: None
    )
    for seed, result in zip(SEEDS, together, strict=True):
        alone = train(fresh(job, seed), train_data, valid_data, settings, seed, lambda epoch: None)
        assert result.best_epoch == alone.best_epoch
        assert result.best_valid_mae == pytest.approx(alone.best_valid_mae, abs=1e-6)
        assert alone.state.keys() == result.state.keys()
        for name, value in alone.state.items():
            torch.testing.assert_close(
                result.state[name], value, atol=tolerance, rtol=1e-7, msg=lambda m, n=name: n + m
            )


@pytest.mark.parametrize("row", TRAINED)
def test_packed_seeds_learn_what_each_learns_alone(job_of, row):
    try:
        assert_packed_equals_alone(job_of(row))
    except UnpackableError as error:
        if row in MUST_PACK:
            raise
        pytest.skip(f"seeds of {row} train in turn: {error}")


@pytest.mark.parametrize(
    "options",
    [
        "{bert: finetuned, fusion: none}",
        "{bert: frozen, fusion: late}",
        "{adapter: houlsby, adapter_dropout: 0.2, fusion: attention}",
        "{fusion: gated}",
        "{fusion: cls, audiovisual: mean}",
        "{fusion: side}",
        "{fusion: pooled, fusion_layers: 1}",
    ],
)
def test_every_part_of_the_family_packs(job_of, options):
    assert_packed_equals_alone(job_of("amb", options))


def test_seeds_pack_whose_batches_are_of_like_length(job_of):
    assert_packed_equals_alone(job_of("amb", training="{length_window: 2}"))


@pytest.mark.parametrize("row", ["amb", "finetuned_fusion"])
def test_seeds_pack_in_bf16_and_agree_within_its_rounding(job_of, row):
    job = job_of(row, training="{precision: bf16}")
    context = open_context(job)
    data = context.splits["train"], context.splits["valid"]
    settings = context.study.methods[job.method].training
    models = [build_model(job, seed) for seed in SEEDS]
    assert precision_of(models[0]) == "bf16"
    together = train_seeds(models, SEEDS, *data, settings, lambda seed, epoch: None)
    alone = [
        train(build_model(job, seed), *data, settings, seed, lambda epoch: None) for seed in SEEDS
    ]
    for one, other in zip(together, alone, strict=True):
        assert one.best_valid_mae == pytest.approx(other.best_valid_mae, abs=1e-2)
        assert {value.dtype for value in one.state.values()} == {torch.float32}


@pytest.mark.parametrize("row", sorted(WITH_A_LOSS_OF_THEIR_OWN))
def test_a_loss_over_a_whole_batch_is_refused_with_the_reason(job_of, row):
    job = job_of(row)
    with pytest.raises(UnpackableError, match="mean over utterances"):
        Pack([build_model(job, seed) for seed in SEEDS], SEEDS)


def test_draws_that_seeds_would_share_are_found_before_training(job_of):
    """``nn.TransformerEncoder`` drops attention weights by torch's own generator."""
    job = job_of("amb", "{audiovisual: transformer}")
    data = open_context(job).splits["train"]
    models = [build_model(job, seed) for seed in SEEDS]
    rows = torch.stack([torch.randperm(len(data))[:9] for _ in SEEDS])
    with pytest.raises(UnpackableError, match="draws from torch's generator"):
        Pack(models, SEEDS).prove(data, rows)


def test_a_seed_that_stops_leaves_and_the_others_go_on(job_of):
    job = job_of("finetuned_late")
    context = open_context(job)
    recipe = context.study.methods[job.method].training
    settings = replace(recipe, max_epochs=14, patience=1, learning_rate=2e-3)
    data = [doubled(context.splits[s]) for s in ("train", "valid")]
    seeds = [1, 2, 3, 4, 5]
    models = [fresh(job, seed) for seed in seeds]
    together = train_seeds(models, seeds, *data, settings, lambda seed, epoch: None)
    alone = [train(fresh(job, seed), *data, settings, seed, lambda epoch: None) for seed in seeds]
    assert len({len(result.curve) for result in alone}) > 1  # they do stop at different epochs
    for one, other in zip(together, alone, strict=True):
        assert len(one.curve) == len(other.curve)
        assert one.best_valid_mae == pytest.approx(other.best_valid_mae, abs=1e-6)


def test_a_batch_in_parts_has_the_gradient_of_the_whole(job_of, monkeypatch):
    """Memory runs out at the first step of a pack; without dropout nothing else changes."""
    job = job_of("late_fusion")
    context = open_context(job)
    settings = replace(context.study.methods[job.method].training, max_epochs=2)
    data = [doubled(context.splits[s]) for s in ("train", "valid")]

    def trained(failures):
        models = [fresh(job, seed) for seed in SEEDS]
        for model in models:
            for module in model.modules():
                if isinstance(module, nn.Dropout):
                    module.p = 0.0
        whole, said = Pack.losses, []

        def losses(pack, batch):
            if failures and len(batch.labels) > 12:
                failures.pop()
                raise torch.OutOfMemoryError("CUDA out of memory. (simulated)")
            return whole(pack, batch)

        with monkeypatch.context() as patched:
            patched.setattr(Pack, "losses", losses)
            results = train_seeds(
                models, SEEDS, *data, settings, lambda seed, epoch: None, notice=said.append
            )
        return results, said

    plain, nothing = trained([])
    cut, said = trained([1, 1])
    assert nothing == []
    assert [line for line in said if "4 parts" in line]
    assert {result.micro_batches for result in cut} == {4}
    for one, other in zip(plain, cut, strict=True):
        for name, value in one.state.items():
            torch.testing.assert_close(other.state[name], value, atol=1e-9, rtol=1e-7)


def test_out_of_memory_is_raised_where_a_batch_cannot_be_cut(job_of, monkeypatch):
    job = job_of("misa")
    context = open_context(job)
    settings = replace(context.study.methods[job.method].training, max_epochs=1)

    def losses(pack, batch):
        raise torch.OutOfMemoryError("CUDA out of memory. (simulated)")

    monkeypatch.setattr(Pack, "losses", losses)
    splits = context.splits["train"], context.splits["valid"]
    with pytest.raises(torch.OutOfMemoryError):
        train(build_model(job, 1), *splits, settings, 1, lambda epoch: None)


class Peculiar(SentimentModel):
    """A model with something that stands in the way of packing."""

    def __init__(self, kind: str, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.kind = kind
        self.linear, self.dropout = nn.Linear(4, 1), nn.Dropout(0.5)
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        if kind != "frozen_differs":
            nn.init.eye_(self.frozen.weight)
            nn.init.zeros_(self.frozen.bias)

    def forward(self, batch):
        features = F.one_hot(batch.token_mask.sum(1) % 4, 4).float()
        if self.kind == "one_mask_for_all":
            features = features * self.dropout(torch.ones(1, 4))
        if self.kind == "mean_of_the_batch":
            features = features - features.mean(0)
        return self.linear(self.frozen(features)).squeeze(-1)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("frozen_differs", "frozen and not shared"),
        ("mean_of_the_batch", "differ by"),
        ("one_mask_for_all", "a batch of several seeds fails"),
    ],
)
def test_what_stands_in_the_way_is_found_before_training(job_of, kind, message):
    data = open_context(job_of("amb")).splits["train"]
    models = [Peculiar(kind, seed) for seed in SEEDS]
    rows = torch.stack([torch.randperm(len(data))[:9] for _ in SEEDS])
    with pytest.raises(UnpackableError, match=message):
        Pack(models, SEEDS).prove(data, rows)


def test_a_plain_model_packs_and_its_parameters_stay_its_own(job_of):
    data = open_context(job_of("amb")).splits["train"]
    models = [Peculiar("plain", seed) for seed in SEEDS]
    before = [model.linear.weight.clone() for model in models]
    pack = Pack(models, SEEDS)
    pack.prove(data, torch.stack([torch.randperm(len(data))[:9] for _ in SEEDS]))
    for model, weight in zip(models, before, strict=True):
        assert torch.equal(model.linear.weight, weight)
    models[1].linear.weight.data.zero_()
    assert bool((pack.model.linear.weight[1] == 0).all())
    assert bool((pack.model.linear.weight[0] != 0).any())


def test_what_is_frozen_exists_once(job_of):
    models = [fresh(job_of("finetuned_text"), seed) for seed in SEEDS]
    tables = [model.backbone.embeddings.word_embeddings.table for model in models]
    assert len({table.data_ptr() for table in tables}) == 3
    Pack(models, SEEDS)
    assert len({table.data_ptr() for table in tables}) == 1
    rows = [model.backbone.embeddings.word_embeddings.rows for model in models]
    assert len({own.data_ptr() for own in rows}) == 3


def test_packed_layers_equal_their_members():
    torch.manual_seed(0)
    values = torch.randn(6, 5, 4)
    linears = [nn.Linear(4, 3) for _ in range(3)]
    norms = [nn.LayerNorm(4) for _ in range(3)]
    for norm in norms:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    lstms = [nn.LSTM(4, 2, batch_first=True) for _ in range(3)]

    def stacked(modules, name):
        return nn.Parameter(torch.stack([getattr(m, name).detach() for m in modules]))

    linear = PackedLinear(stacked(linears, "weight"), stacked(linears, "bias"))
    norm = PackedLayerNorm(norms[0], stacked(norms, "weight"), stacked(norms, "bias"))
    for packed, members in ((linear, linears), (norm, norms)):
        expected = torch.cat([m(v) for m, v in zip(members, values.chunk(3), strict=True)])
        torch.testing.assert_close(packed(values), expected)
    states, (hidden, _) = InTurn(lstms, hidden_dimension=1)(values)
    each = [m(v) for m, v in zip(lstms, values.chunk(3), strict=True)]
    torch.testing.assert_close(states, torch.cat([out for out, _ in each]))
    torch.testing.assert_close(hidden, torch.cat([h for _, (h, _) in each], dim=1))
