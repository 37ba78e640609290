"""Late fusion without words: on audio and visual features, or on precomputed token states."""

import pytest
import torch

from amb.data.batches import Batch
from amb.data.frames import Frames
from amb.errors import InputError
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape, find_builder
from amb.study import load_study

WITHOUT_TEXT = FeatureShape({"audio": 3, "visual": 2}, {"audio": False, "visual": False}, False)
WITH_STATES = FeatureShape({"audio": 3}, {"audio": False}, False, text_states=5)


@pytest.fixture
def backbone(tiny):
    return Backbone(tiny.backbone, load_study(tiny.file).backbone)


def batch(**widths):
    generator = torch.Generator().manual_seed(5)
    mask = torch.tensor([[True, True, True], [True, False, False]])
    frames = {
        m: Frames(torch.randn(2, 3, d, generator=generator) * mask.unsqueeze(-1), mask)
        for m, d in widths.items()
    }
    special = torch.tensor([[101, 102], [101, 102]])
    return Batch(special, special > 0, torch.full((2, 2), -1), frames)


def test_without_text_there_is_no_bert_and_words_change_nothing(backbone):
    model = find_builder("late_fusion")({"text": "none"}, backbone, WITHOUT_TEXT).eval()
    assert model.streams.encoder is None
    own = batch(audio=3, visual=2)
    other = Batch(own.token_ids + 7, own.token_mask, own.word_index, own.frames)
    assert model(own).shape == (2,)
    torch.testing.assert_close(model(own), model(other), rtol=0, atol=0)


def test_token_states_are_encoded_beside_audio(backbone):
    model = find_builder("late_fusion")({"text": "states"}, backbone, WITH_STATES).eval()
    own = batch(audio=3, text_states=5)
    states = own.frames["text_states"]
    louder = {**own.frames, "text_states": Frames(states.values * 2, states.mask)}
    changed = Batch(own.token_ids, own.token_mask, own.word_index, louder)
    assert not torch.allclose(model(own), model(changed))


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("amb", {}, "text: found 'utterances without text', expected text for amb"),
        ("finetuned_text", {}, "text for finetuned_text"),
        ("finetuned_fusion", {}, "text for finetuned_fusion"),
        ("late_fusion", {}, "text for late_fusion with text: bert"),
        ("late_fusion", {"text": "states"}, "text_states: found 'none'"),
        (
            "late_fusion",
            {"text": "glove"},
            "options.text: found 'glove', expected one of bert, states",
        ),
    ],
)
def test_what_the_data_lack_is_refused_by_name(backbone, method, options, message):
    with pytest.raises(InputError, match=message):
        find_builder(method)(options, backbone, WITHOUT_TEXT)
