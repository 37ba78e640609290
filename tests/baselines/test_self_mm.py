"""Self-MM: its labels by hand, its loss, its state beside the training loop."""

from types import SimpleNamespace

import pytest
import torch

from amb.data.frames import Frames
from amb.errors import InputError
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape, find_builder
from amb.model.unimodal_labels import UnimodalLabels
from amb.study import TrainingSettings, load_study
from amb.training.job import Job
from amb.training.optimiser import build_optimiser
from amb.training.run import build_model, open_context
from baselines.self_mm import SequenceSubnet


@pytest.fixture
def backbone(tiny):
    return Backbone(tiny.backbone, load_study(tiny.file).backbone)


@pytest.fixture
def job(tiny, tmp_path):
    file = tmp_path / "study.yaml"
    content = tiny.file.read_text(encoding="utf-8")
    file.write_text(content.replace("methods:\n", "methods:\n  self_mm: {}\n"), encoding="utf-8")
    return Job(file, tiny.store, tiny.backbone, "self_mm", tmp_path / "runs", "cpu")


def begun(labels=(2.0, -1.0, 0.0), widths=(1, 1), limit=3.0):
    """Labels of a fused and one unimodal task, each of whose representations is one number."""
    kept = UnimodalLabels(list(widths), limit)
    kept.begin(torch.tensor(labels))
    return kept


def test_the_first_epoch_collects_centres_and_moves_no_label():
    kept = begun()
    kept.update(torch.tensor([1, 0]), torch.tensor([[-4.0, -2.0], [1.0, 3.0]]), epoch=1)
    assert kept.labels.tolist() == [[2, -1, 0]] * 2
    assert kept.centres.tolist() == [[1, 3], [-4, -2]]  # a label of 0 is in neither class


def test_a_label_moves_by_the_equations_and_is_averaged_over_epochs():
    kept = begun()
    kept.update(torch.tensor([0, 1]), torch.tensor([[1.0, 3.0], [-4.0, -2.0]]), epoch=1)
    kept.update(torch.tensor([0]), torch.tensor([[2.0, 2.0]]), epoch=2)
    fused = (6 - 1) / 1  # distances of 2 to −4 and to 1
    unimodal = (4 - 1) / 1  # distances of 2 to −2 and to 3
    new = 2 * (unimodal / fused + 1) / 2 + (unimodal - fused) / 2
    assert kept.labels[1].tolist() == pytest.approx([1 / 3 * 2 + 2 / 3 * new, -1, 0])
    assert kept.labels[0].tolist() == [2, -1, 0]
    assert kept.centres[0].tolist() == [2, 2]


def test_a_new_label_is_clipped():
    kept = begun(limit=1.5)
    kept.update(torch.tensor([0, 1]), torch.tensor([[1.0, 3.0], [-4.0, -2.0]]), epoch=1)
    kept.update(torch.tensor([0]), torch.tensor([[-1.0, 2.99]]), epoch=2)
    assert kept.labels[1, 0].item() == pytest.approx(1 / 3 * 2 + 2 / 3 * 1.5)


def test_a_class_without_an_utterance_leaves_everything_finite():
    kept = begun(labels=(2.0, 1.0, 3.0))
    generator = torch.Generator().manual_seed(3)
    for epoch in (1, 2):
        kept.update(torch.arange(3), torch.randn(3, 2, generator=generator), epoch)
        assert kept.centres[1, 0] == 0  # of the fused task, whose labels do not move
    assert torch.isfinite(kept.labels).all()


def test_labels_are_no_part_of_a_checkpoint(job):
    model = build_model(job, 1)
    model.begin_training(open_context(job).splits["train"])
    assert not any("unimodal_labels" in name for name in model.state_dict())


def test_the_loss_weighs_a_unimodal_task_by_how_far_its_label_is_from_the_annotated_one(job):
    data = open_context(job).splits["train"]
    rows = torch.tensor([4, 0, 7])
    model = build_model(job, 1).train()
    for head in model.heads.values():
        head.dropout.p = 0.0
    model.backbone.freeze(dropout=False)
    model.begin_training(data)
    model.unimodal_labels.labels[1:] += torch.tensor([0.5, -1.0, 0.0])[:, None]
    batch, targets = data.batch(rows), model.unimodal_labels.labels[:, rows].clone()
    with torch.no_grad():
        inputs = model._inputs(batch)
        predictions = [head(inputs[task])[1] for task, head in model.heads.items()]
        loss = model.loss(batch)
    expected = (predictions[0] - batch.labels).abs().mean()
    for prediction, target in zip(predictions[1:], targets[1:], strict=True):
        weight = torch.tanh((target - batch.labels).abs())
        expected = expected + (weight * (prediction - target).abs()).mean()
    torch.testing.assert_close(loss, expected)


def test_outside_training_a_loss_moves_no_label_and_knows_no_row(job):
    splits = open_context(job).splits
    model = build_model(job, 1)
    model.begin_training(splits["train"])
    model.begin_epoch(2)
    before = model.unimodal_labels.labels.clone()
    batch = splits["valid"].batch(torch.arange(5))
    loss = model.eval().loss(batch)
    torch.testing.assert_close(loss, (model(batch) - batch.labels).abs().mean())
    assert torch.equal(model.unimodal_labels.labels, before)
    assert not model.unimodal_labels.representations.any()


def test_each_part_has_a_learning_rate_of_its_own(job):
    model = build_model(job, 1)
    assert list(model.trainable_groups()) == ["backbone", "audio", "visual", "other"]
    rates = {"audio": 5e-3, "visual": 1e-4}
    settings = TrainingSettings(max_epochs=1, learning_rate=1e-3, group_learning_rates=rates)
    found = {group["lr"] for group in build_optimiser(model, settings).param_groups}
    assert found == {5e-5, 5e-3, 1e-4, 1e-3}


def test_a_subnet_reads_the_state_at_the_last_real_frame():
    subnet = SequenceSubnet(2, 4, 3).eval()
    values = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(3))
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    alone = subnet.linear(subnet.last_state.lstm(values[1:, :2])[1][0][0])
    torch.testing.assert_close(subnet(Frames(values, mask))[1:], alone)


def test_one_modality_is_enough(backbone):
    features = FeatureShape({"visual": 3}, {"visual": False})
    model = find_builder("self_mm")({"finetune": False}, backbone, features)
    assert list(model.heads) == ["fused", "text", "visual"]
    assert not model.trainable_groups()["backbone"]
    model.begin_training(SimpleNamespace(labels=torch.ones(4)))
    assert model.unimodal_labels.labels.shape == (3, 4)


def test_the_largest_label_is_more_than_0(backbone):
    features = FeatureShape({"audio": 3}, {"audio": False})
    with pytest.raises(InputError, match=r"options.limit: found -1, expected more than 0"):
        find_builder("self_mm")({"limit": -1}, backbone, features)
