"""The training loop on a model small enough to reason about."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from amb.data.batches import SplitData
from amb.data.ragged_tensor import RaggedTensor
from amb.model.method import SentimentModel
from amb.study import TrainingSettings
from amb.training.loop import train
from amb.training.optimiser import build_optimiser
from amb.training.predict import mean_absolute_error, predict
from amb.training.seed_training import SeedTraining


class WordSum(SentimentModel):
    """The sum of a learnt weight for each word-piece; ``backbone`` holds the weights."""

    def __init__(self, vocabulary: int = 6) -> None:
        super().__init__()
        self.backbone = nn.ModuleDict({"embeddings": nn.Embedding(vocabulary, 1)})
        self.head = nn.Linear(1, 1)

    def forward(self, batch):
        embedded = self.backbone["embeddings"](batch.token_ids).squeeze(-1)
        return self.head((embedded * batch.token_mask).sum(1, keepdim=True)).squeeze(-1)


def make_split(texts, labels):
    lengths = torch.tensor([len(text) for text in texts])
    ids = torch.tensor([piece for text in texts for piece in text])
    ragged = RaggedTensor(ids, lengths.cumsum(0) - lengths, lengths)
    names = [f"v[{index}]" for index in range(len(texts))]
    return SplitData(names, ragged, ragged, {}, torch.tensor(labels))


TEXTS = [[1], [2, 2], [3, 1, 4], [4], [1, 2], [3], [2, 4, 4, 1], [3, 3]]
LABELS = [1.0, -2.0, 0.5, 0.0, 0.0, -0.5, 0.2, -1.0]


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return WordSum()


def run(model, settings, valid=None, seen=None):
    data = make_split(TEXTS, LABELS)
    seen = [] if seen is None else seen
    return train(model, data, valid or data, settings, 1, seen.append)


def test_predictions_come_in_the_order_of_the_split(model):
    data = make_split(TEXTS, LABELS)
    one_by_one = torch.cat([model(data.batch(torch.tensor([row]))) for row in range(len(data))])
    torch.testing.assert_close(predict(model, data), one_by_one.detach())


def test_validation_error_is_the_mean_absolute_error(model):
    data = make_split(TEXTS, LABELS)
    expected = (predict(model, data) - torch.tensor(LABELS)).abs().mean()
    assert mean_absolute_error(model, data) == pytest.approx(float(expected))


def test_training_learns_and_reports_every_epoch(model):
    seen = []
    settings = TrainingSettings(max_epochs=60, patience=60, batch_size=4, learning_rate=0.05,
                                backbone_learning_rate=0.05)  # fmt: skip
    result = run(model, settings, seen=seen)
    assert [epoch.epoch for epoch in seen] == list(range(1, 61))
    assert result.curve[result.best_epoch - 1].valid_mae < 0.2 < result.curve[0].valid_mae
    assert result.stopped == "max_epochs"


def test_the_state_returned_is_that_of_the_best_epoch(model):
    settings = TrainingSettings(max_epochs=30, patience=30, batch_size=2, learning_rate=0.5,
                                plateau_factor=1.0)  # fmt: skip
    result = run(model, settings)
    best = min(epoch.valid_mae for epoch in result.curve)
    assert result.curve[-1].valid_mae > best
    model.load_state_dict(result.state, strict=True)
    assert mean_absolute_error(model, make_split(TEXTS, LABELS)) == pytest.approx(best)


def test_training_stops_after_patience_epochs_without_improvement(model):
    opposite = make_split(TEXTS, [50.0] * len(TEXTS))
    settings = TrainingSettings(max_epochs=40, patience=3, batch_size=8, learning_rate=1e-9,
                                backbone_learning_rate=1e-9)  # fmt: skip
    frozen = run(model, settings, valid=opposite)
    assert frozen.stopped == "patience"
    assert len(frozen.curve) == frozen.best_epoch + 3


def test_the_rate_falls_when_validation_stalls(model):
    settings = TrainingSettings(max_epochs=12, patience=12, batch_size=8, learning_rate=1e-6,
                                backbone_learning_rate=1e-6, plateau_patience=1)  # fmt: skip
    rates = [epoch.learning_rate for epoch in run(model, settings).curve]
    assert rates[0] == 1e-6
    assert rates[-1] == 1e-6 / 2 ** len({rate for rate in rates if rate < 1e-6})
    assert rates[-1] < rates[0]


def test_a_run_that_diverges_at_once_keeps_its_initial_state_and_says_so(model):
    nn.init.constant_(model.head.weight, math.nan)
    initial = {name: value.clone() for name, value in model.learned_state().items()}
    result = run(model, TrainingSettings(max_epochs=2))
    assert (result.stopped, result.best_epoch, len(result.curve)) == ("non-finite loss", 0, 1)
    for name, value in initial.items():
        torch.testing.assert_close(result.state[name], value, equal_nan=True)


def test_a_run_that_diverges_keeps_its_last_good_state(model):
    settings = TrainingSettings(max_epochs=9, patience=9, batch_size=8)
    data = make_split(TEXTS, LABELS)

    def break_after_two(epoch):
        if epoch.epoch == 2:
            nn.init.constant_(model.head.bias, math.inf)

    result = train(model, data, data, settings, 0, break_after_two)
    assert result.stopped == "non-finite loss"
    assert (len(result.curve), result.best_epoch) == (3, 2)
    assert math.isnan(result.curve[-1].valid_mae) or math.isinf(result.curve[-1].valid_mae)
    assert all(bool(torch.isfinite(value).all()) for value in result.state.values())


def test_gradients_are_clipped_by_value_before_their_norm(model):
    settings = TrainingSettings(max_epochs=1, gradient_clip=0.5, gradient_clip_value=0.3)
    training = SeedTraining(model, 1, settings)
    for parameter in training.parameters:
        parameter.grad = torch.full_like(parameter, 2.0)
    seen = {}
    hook = training.optimiser.register_step_pre_hook(
        lambda *_: seen.update((p, p.grad.clone()) for p in training.parameters)
    )
    training.step()
    hook.remove()
    norm = math.sqrt(sum(float((grad**2).sum()) for grad in seen.values()))
    assert norm == pytest.approx(0.5, rel=1e-4)
    limited = [0.3 * 0.5 / (0.3 * math.sqrt(8))] * 8  # 6 + 1 + 1 numbers of equal size
    found = torch.cat([grad.flatten() for grad in seen.values()]).tolist()
    assert found == pytest.approx(limited, rel=1e-4)
    assert all(parameter.grad is None for parameter in training.parameters)


def test_weight_decay_spares_embeddings_biases_and_the_two_rates_are_kept(model):
    settings = TrainingSettings(max_epochs=1, learning_rate=0.3, backbone_learning_rate=0.1)
    groups = build_optimiser(model, settings).param_groups
    shown = {(g["lr"], g["weight_decay"], tuple(p.shape for p in g["params"])) for g in groups}
    assert shown == {
        (0.1, 0.0, ((6, 1),)),
        (0.3, 0.01, ((1, 1),)),
        (0.3, 0.0, ((1,),)),
    }
