"""The packed encoder against Hugging Face's BertModel, the reference."""

from __future__ import annotations

import pytest
import torch
from transformers import BertModel

from amb.errors import InputError
from amb.model.backbone import Backbone
from amb.model.backbone_source import prepare_backbone
from amb.model.packing import TokenLayout
from amb.study import BackboneSettings

LENGTHS = torch.tensor([20, 3, 7, 15, 1])


@pytest.fixture
def mask():
    return torch.arange(20) < LENGTHS[:, None]


@pytest.fixture
def ids():
    return torch.randint(1000, 20000, (5, 20), generator=torch.Generator().manual_seed(1))


def encode(encoder, ids, mask):
    layout = TokenLayout(mask)
    return layout.pad(encoder(ids, layout))


def test_hidden_states_equal_hugging_face(tiny, ids, mask):
    encoder = Backbone(tiny.backbone, BackboneSettings("random")).load(trainable=False).eval()
    reference = BertModel.from_pretrained(tiny.checkpoint).eval()
    with torch.no_grad():
        ours = encode(encoder, ids, mask)
        theirs = reference(ids, attention_mask=mask.long()).last_hidden_state
    torch.testing.assert_close(ours[mask], theirs[mask], atol=1e-5, rtol=1e-5)


def test_gradients_equal_hugging_face(tiny, ids, mask):
    encoder = Backbone(tiny.backbone, BackboneSettings("random")).load(trainable=True).eval()
    reference = BertModel.from_pretrained(tiny.checkpoint).eval()
    (encode(encoder, ids, mask)[mask] ** 3).sum().backward()
    (reference(ids, attention_mask=mask.long()).last_hidden_state[mask] ** 3).sum().backward()
    theirs = dict(reference.named_parameters())
    for name, parameter in encoder.named_parameters():
        expected = theirs[name].grad
        scale = expected.abs().max().clamp(min=1)
        torch.testing.assert_close(parameter.grad / scale, expected / scale, atol=1e-5, rtol=1e-4)


def test_a_text_is_encoded_the_same_alone_and_beside_longer_ones(tiny, ids, mask):
    encoder = Backbone(tiny.backbone, BackboneSettings("random")).load(trainable=False).eval()
    with torch.no_grad():
        together = encode(encoder, ids, mask)[1, :3]
        alone = encode(encoder, ids[1:2, :3], mask[1:2, :3])[0]
    torch.testing.assert_close(alone, together, atol=1e-6, rtol=1e-5)


def test_frozen_backbone_has_no_dropout_unless_the_study_asks(tiny, ids, mask):
    for wanted in (False, True):
        settings = BackboneSettings("random", frozen_dropout=wanted)
        encoder = Backbone(tiny.backbone, settings).load(trainable=False).train()
        with torch.no_grad():
            differs = not torch.equal(encode(encoder, ids, mask), encode(encoder, ids, mask))
        assert differs == wanted
        assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_pack_and_pad_are_inverse_and_their_gradients_exact(mask):
    layout = TokenLayout(mask)
    packed = torch.randn(int(mask.sum()), 3, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(layout.pack(layout.pad(packed)), packed)
    padded = torch.randn(5, 20, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layout.pack, padded)
    hidden = (~mask).unsqueeze(-1)
    assert torch.autograd.gradcheck(lambda x: layout.pad(x).masked_fill(hidden, 0.0), packed)


def test_mean_pooling_averages_real_tokens_only(mask):
    layout = TokenLayout(mask)
    packed = torch.randn(int(mask.sum()), 3)
    expected = torch.stack([piece.mean(0) for piece in packed.split(LENGTHS.tolist())])
    torch.testing.assert_close(layout.pool(packed, "mean"), expected)
    first = torch.stack([piece[0] for piece in packed.split(LENGTHS.tolist())])
    torch.testing.assert_close(layout.pool(packed, "cls"), first)


def test_layers_keeps_the_first_n(tiny, tmp_path, ids, mask):
    settings = BackboneSettings(str(tiny.checkpoint), layers=1)
    card = prepare_backbone(settings, tmp_path / "cut")
    encoder = Backbone(tmp_path / "cut", settings).load(trainable=False).eval()
    reference = BertModel.from_pretrained(tiny.checkpoint).eval()
    with torch.no_grad():
        theirs = reference(ids, attention_mask=mask.long(), output_hidden_states=True)
        ours = encode(encoder, ids, mask)
    assert card["layers"] == 1
    torch.testing.assert_close(ours[mask], theirs.hidden_states[1][mask], atol=1e-5, rtol=1e-5)


def test_more_layers_than_the_checkpoint_has_is_refused(tiny, tmp_path):
    settings = BackboneSettings(str(tiny.checkpoint), layers=5)
    with pytest.raises(InputError, match=r"num_hidden_layers: found 2, expected at least 5"):
        prepare_backbone(settings, tmp_path / "cut")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_backbone_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(InputError, match=r"no/such-model: backbone: .*minilm"):
        prepare_backbone(BackboneSettings("no/such-model"), tmp_path / "backbone")
    assert list(tmp_path.iterdir()) == []


def test_changed_weights_are_refused_with_both_hashes(tiny, tmp_path):
    prepare_backbone(BackboneSettings(str(tiny.checkpoint)), tmp_path / "backbone")
    weights = tmp_path / "backbone" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(InputError, match=r"SHA-256: found '[0-9a-f]{64}', expected [0-9a-f]{64}"):
        _ = Backbone(tmp_path / "backbone", BackboneSettings("random")).sha256
