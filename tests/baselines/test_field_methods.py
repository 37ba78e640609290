"""What the methods of the field share: any subset of modalities, and batches of one utterance."""

import pytest
import torch

from amb.data.batches import Batch
from amb.data.frames import Frames
from amb.errors import InputError
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape, find_builder
from amb.study import load_study

METHODS = ["lmf", "misa", "tfn"]
DIMENSIONS = {"audio": 3, "visual": 2}
TOKENS = torch.tensor([[101, 2023, 2003, 102], [101, 2204, 102, 0]])


@pytest.fixture
def backbone(tiny):
    return Backbone(tiny.backbone, load_study(tiny.file).backbone)


def build(method, backbone, modalities=("audio", "visual"), **options):
    dimensions = {m: DIMENSIONS[m] for m in modalities}
    shape = FeatureShape(dimensions, dict.fromkeys(dimensions, False))
    torch.manual_seed(1)
    return find_builder(method)(options, backbone, shape)


def batch(size=2):
    generator = torch.Generator().manual_seed(5)
    mask = torch.tensor([[True, True, True], [True, False, False]])[:size]
    frames = {
        m: Frames(torch.randn(size, 3, d, generator=generator) * mask.unsqueeze(-1), mask)
        for m, d in DIMENSIONS.items()
    }
    tokens = TOKENS[:size]
    labels = torch.tensor([1.5, -2.0])[:size]
    return Batch(tokens, tokens > 0, torch.full_like(tokens, -1), frames, labels)


@pytest.mark.parametrize("modalities", [["audio"], ["visual"], ["audio", "visual"]])
@pytest.mark.parametrize("method", METHODS)
def test_reads_just_the_modalities_that_the_data_have(backbone, method, modalities):
    model = build(method, backbone, modalities)
    loss = model.loss(batch())
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    names = " ".join(name for name, _ in model.named_parameters())
    assert [m for m in DIMENSIONS if m in names] == modalities
    own = batch()
    with torch.no_grad():
        before = model.eval()(own)
        for m in DIMENSIONS:
            louder = {**own.frames, m: Frames(own.frames[m].values + 1, own.frames[m].mask)}
            changed = model(Batch(own.token_ids, own.token_mask, own.word_index, louder))
            assert torch.equal(changed, before) == (m not in modalities)


@pytest.mark.parametrize("method", METHODS)
def test_a_training_batch_of_one_utterance_has_finite_gradients(backbone, method):
    model = build(method, backbone).train()
    loss = model.loss(batch(size=1))
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.requires_grad)


@pytest.mark.parametrize("method", METHODS)
def test_refuses_data_without_text_or_without_the_rest(backbone, method):
    with pytest.raises(InputError, match=rf"found 'text only'.*{method}"):
        build(method, backbone, modalities=())
    without_text = FeatureShape(DIMENSIONS, dict.fromkeys(DIMENSIONS, False), has_text=False)
    with pytest.raises(InputError, match=rf"expected text for {method}"):
        find_builder(method)({}, backbone, without_text)


@pytest.mark.parametrize("method", ["lmf", "tfn"])
def test_bert_is_frozen_unless_it_is_to_be_finetuned(backbone, method):
    frozen, finetuned = build(method, backbone), build(method, backbone, bert="finetuned")
    assert not any(p.requires_grad for p in frozen.backbone.parameters())
    assert all(p.requires_grad for p in finetuned.backbone.parameters())
    with pytest.raises(InputError, match=r"options.bert: found 'thawed'"):
        build(method, backbone, bert="thawed")
