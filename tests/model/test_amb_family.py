"""AMB and its family: every cell of the grid, every option, and what each of them trains."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch

from amb.errors import InputError
from amb.model.amb import Options, build, read_family
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape
from amb.presets import load_presets
from amb.study import load_study
from amb.training.job import Job
from amb.training.run import open_context

DATA = FeatureShape({"audio": 12, "visual": 8}, {"audio": True, "visual": True})
UNALIGNED = dataclasses.replace(DATA, word_aligned={"audio": False, "visual": False})
D, R, W, INTO, LAYERS = 32, 2, 100, 64, 2  # the tiny BERT


@pytest.fixture
def backbone(tiny):
    return Backbone(tiny.backbone, load_study(tiny.file).backbone)


@pytest.fixture
def batch(tiny, tmp_path):
    job = Job(tiny.file, tiny.store, tiny.backbone, "amb", tmp_path, "cpu")
    return open_context(job).splits["train"].batch(torch.arange(5))


def trainable(model):
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def encoders_size():
    lstm = sum(2 * (4 * W * (F + W) + 8 * W) for F in (12, 8))
    return lstm + 2 * 3 * (W * W + W)


ADAPTERS = LAYERS * (2 * D * R + R + D)
FUSION = LAYERS * ((D + 2 * W) * INTO + INTO + INTO * D + D)
HEAD = D + 1
LATE = (D + 2 * W) * 128 + 128 + 128 + 1


@pytest.mark.parametrize(
    ("bert", "fusion"),
    list(itertools.product(["frozen", "adapter", "finetuned"], ["none", "late", "word"])),
)
def test_every_cell_of_the_grid_trains_what_its_name_says(backbone, batch, bert, fusion):
    model = build({"bert": bert, "fusion": fusion}, backbone, DATA)
    own = sum(p.numel() for p in model.backbone.parameters())
    expected = {"frozen": 0, "adapter": ADAPTERS, "finetuned": own}[bert]
    expected += {
        "none": HEAD,
        "late": encoders_size() + LATE,
        "word": encoders_size() + FUSION + HEAD,
    }[fusion]
    assert trainable(model) == expected
    model.loss(batch).backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


@pytest.mark.parametrize("fusion", ["word", "pooled", "cls", "gated", "attention", "side"])
@pytest.mark.parametrize("features", [DATA, UNALIGNED], ids=["aligned", "unaligned"])
def test_with_new_layers_every_operator_predicts_as_frozen_bert(backbone, batch, fusion, features):
    options = {"bert": "adapter", "adapter_initial_std": 0.0, "fusion": fusion}
    model = build(options, backbone, features).eval()
    plain = build({"bert": "frozen", "fusion": "none"}, backbone, features).eval()
    plain.head.load_state_dict(model.head.state_dict())
    torch.testing.assert_close(model(batch), plain(batch))


@pytest.mark.parametrize(
    ("options", "read_again"),
    [
        ({}, [1]),
        ({"adapter": "houlsby"}, [0, 1]),
        ({"bert": "frozen"}, [1]),
        ({"bert": "frozen", "fusion_layers": [2]}, []),
        ({"bert": "frozen", "fusion": "side"}, [1]),
        ({"bert": "frozen", "fusion": "late"}, []),
        ({"bert": "finetuned"}, [0, 1]),
        ({"bert": "finetuned", "fusion_layers": [2]}, [0, 1]),
    ],
)
def test_layers_below_all_that_trains_read_a_text_once(backbone, batch, options, read_again):
    model = build(options, backbone, DATA).eval()
    calls = []
    for place, layer in enumerate(model.backbone.layers):
        layer.register_forward_hook(lambda *_, place=place: calls.append(place))
    first = model(batch)
    calls.clear()
    again = model(batch)
    # Called directly, Houlsby's blocks of a layer are no call of the layer.
    assert calls == ([] if options.get("adapter") == "houlsby" else read_again)
    model.backbone.memory = None
    torch.testing.assert_close(again, model(batch), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(again, first, atol=1e-5, rtol=1e-5)


def test_houlsby_adapters_stand_before_the_residual_connection(backbone, batch):
    model = build({"adapter": "houlsby", "fusion": "none"}, backbone, DATA).eval()
    assert trainable(model) == 2 * ADAPTERS + HEAD
    adapters, layer = model.adapters[0], model.backbone.layers[0]
    seen = []
    hook = adapters.attention.register_forward_hook(lambda *call: seen.append(call[1:]))
    model(batch)
    hook.remove()
    ((mapped,), adapted) = seen[0]
    assert mapped.shape == adapted.shape
    norm = layer.attention.output.LayerNorm
    assert norm.weight.requires_grad is False
    # Before residual and norm: what the adapter reads is not normalised.
    assert not torch.allclose(norm(mapped), mapped, atol=1e-3)


def test_a_side_path_leaves_berts_own_states_alone(backbone, batch):
    model = build({"bert": "frozen", "fusion": "side"}, backbone, DATA).eval()
    for layer in model.fusion.values():
        torch.nn.init.normal_(layer.up_proj.weight)
    seen = {}
    last = model.backbone.layers[-1]
    hook = last.register_forward_hook(lambda *call: seen.update(with_side=call[2]))
    model(batch)
    hook.remove()
    plain = build({"bert": "frozen", "fusion": "none"}, backbone, DATA).eval()
    hook = plain.backbone.layers[-1].register_forward_hook(
        lambda *call: seen.update(without=call[2])
    )
    plain(batch)
    hook.remove()
    assert torch.equal(seen["with_side"], seen["without"])


@pytest.mark.parametrize(
    ("wanted", "places"), [("all", ["0", "1"]), (1, ["1"]), (2, ["0", "1"]), ([1], ["0"])]
)
def test_fusion_layers_stand_where_the_option_says(backbone, wanted, places):
    model = build({"fusion_layers": wanted}, backbone, DATA)
    assert list(model.fusion) == places


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fusion_layers": 3}, "options.fusion_layers: found 3, expected 1 to 2, BERT's layers"),
        ({"fusion_layers": 0}, "options.fusion_layers: found 0"),
        ({"fusion_layers": [1, 1]}, r"found \[1, 1\], expected different layers from 1 to 2"),
        ({"fusion_layers": [0]}, "expected different layers from 1 to 2"),
        ({"fusion_layers": []}, "expected different layers from 1 to 2"),
        ({"fusion": "wrod"}, "options.fusion: found 'wrod', expected one of none, late, word"),
        ({"fusion_layers": "last"}, "options.fusion_layers: found 'last', expected one of all or"),
        ({"modalities": ["sound"]}, "options.modalities: found .*, expected a list, each one of"),
        ({"adapter_dropout": "much"}, "options.adapter_dropout: found 'much', expected a value"),
    ],
)
def test_an_option_that_cannot_be_is_refused(backbone, options, message):
    with pytest.raises(InputError, match=message):
        build(options, backbone, DATA)


def test_a_modality_that_the_data_lack_is_refused(backbone):
    audio_only = FeatureShape({"audio": 12}, {"audio": True})
    with pytest.raises(InputError, match="modalities: found 'audio', expected visual for amb"):
        build({"modalities": ["audio", "visual"]}, backbone, audio_only)
    assert list(build({}, backbone, audio_only).audiovisual.encoders) == ["audio"]


def test_a_modality_that_is_left_out_changes_nothing(backbone, batch):
    model = build({"modalities": ["audio"]}, backbone, DATA).eval()
    for layer in model.fusion.values():
        torch.nn.init.normal_(layer.up_proj.weight)
    deaf = dataclasses.replace(batch, frames={"audio": batch.frames["audio"]})
    torch.testing.assert_close(model(deaf), model(batch))


def test_a_row_keeps_what_makes_it_that_row():
    with pytest.raises(InputError, match=r"options.bert: found 'frozen', expected only finetuned"):
        read_family({"bert": "frozen"}, "finetuned_text", bert="finetuned", fusion="none")
    assert read_family({"head_dropout": 0.3}, "x", bert="finetuned").head_dropout == 0.3


def test_every_preset_of_the_family_builds(backbone):
    built = [name for name, preset in load_presets().items() if preset.builder == "amb"]
    assert {"frozen_text", "adapter_late", "amb_last3", "amb_gated", "amb_side"} <= set(built)
    for name in built:
        options = load_presets()[name].options
        if options.get("fusion_layers", 0) not in (3, 6):  # the tiny BERT has two layers
            assert trainable(build(options, backbone, DATA)) > 0
    assert Options(**load_presets()["amb"].options) == Options()
