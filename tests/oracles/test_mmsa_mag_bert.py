"""MAG-BERT beside MMSA's, weights copied.

Compared: the last hidden states of BERT with the gate behind its embeddings, on a padded batch, and
the head. Not compared: BERT's pooler, which our backbone does not have (MMSA's passes [CLS] on).
"""

import pytest
import torch
from run_in_mmsa import count, run_in_mmsa, weights_of

from amb.data.batches import Batch
from amb.data.frames import Frames
from amb.model.bert import BertEncoder, BertShape
from amb.model.packing import TokenLayout
from baselines.mag_bert import AdaptationGate, MagBert

SHAPE = BertShape("bert", "gelu", 0, 99, 32, 2, 4, 64, 512, 2, 1e-12, 0.1, 0.1)
NAMES = {
    "bert.MAG.W_hv": "gate.gates.visual",
    "bert.MAG.W_ha": "gate.gates.audio",
    "bert.MAG.W_v": "gate.projections.visual",
    "bert.MAG.W_a": "gate.projections.audio",
    "bert.MAG.LayerNorm": "gate.norm",
    "bert.": "backbone.",
    "classifier": "head",
}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    return run_in_mmsa("mmsa_mag_bert", tmp_path_factory.mktemp("mmsa"))


@pytest.fixture(scope="module")
def weights(theirs):
    weights = weights_of(theirs, NAMES)
    return {n: w for n, w in weights.items() if not n.startswith("backbone.pooler.")}


@pytest.fixture
def model():
    gate = AdaptationGate(32, {"audio": 5, "visual": 7}, beta_shift=0.8, dropout=0.3)
    aligned = {"audio": True, "visual": True}
    return MagBert(BertEncoder(SHAPE), "cls", gate, 0, aligned).eval()


@pytest.fixture
def batch(theirs):
    mask = theirs["mask"].bool()
    words = torch.arange(-1, mask.shape[1] - 1).expand(mask.shape)  # [CLS], then a piece a word
    frames = {m: Frames(theirs[m][:, 1:], mask[:, 1:]) for m in ("audio", "visual")}
    return Batch(theirs["ids"], mask, words.masked_fill(~mask, -1), frames)


def test_hidden_states_and_predictions_equal_those_of_mmsa(theirs, weights, model, batch):
    model.load_state_dict(weights)
    layout = TokenLayout(batch.token_mask)
    with torch.no_grad():
        states, prediction = model.encode(batch, layout), model(batch)
    expected = layout.pack(theirs["states"])
    torch.testing.assert_close(states, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(prediction, theirs["prediction"][:, 0], rtol=1e-5, atol=1e-5)


def test_there_are_as_many_new_parameters(weights, model):
    new = {n: w for n, w in weights.items() if not n.startswith("backbone.")}
    assert sum(p.numel() for p in model.trainable_groups()["new"].values()) == count(new)
