"""Counts of rows against closed forms that are written out here, from the reconstruction."""

from __future__ import annotations

import pytest
import torch

from amb.model.bert import BertEncoder
from amb.model.method import find_builder
from amb.presets import Preset, load_presets
from amb.sizes.rows import measure, presets_to_measure, size_of_model
from amb.sizes.settings import BACKBONES, BERT_BASE, MINILM, BackboneSize
from amb.sizes.weightless import WeightlessBackbone, bert_shape
from amb.training.job import Job
from amb.training.run import build_model, open_context

AUDIO, VISUAL, GLOVE = 74, 35, 300
W, BOTTLENECK, JOINT, HEAD = 100, 64, 128, 1


def linear(inputs, outputs):
    return inputs * outputs + outputs


def bert(D, layers, inner):
    norm = 2 * D
    embeddings = (30522 + 512 + 2) * D + norm
    attention = 4 * linear(D, D) + norm
    feed_forward = linear(D, inner) + linear(inner, D) + norm
    return embeddings + layers * (attention + feed_forward)


def adapters(D, layers, a_layer):
    R = D // 16
    return layers * a_layer * (2 * D * R + R + D)


def encoder(F):
    one_direction = 4 * W * (F + W) + 2 * 4 * W  # LSTM: four gates, two biases
    return 2 * one_direction + 3 * linear(W, W)


def fusion(D, layers, widths=2 * W):
    return layers * (linear(D + widths, BOTTLENECK) + linear(BOTTLENECK, D))


@pytest.fixture(scope="module", params=BACKBONES, ids=lambda size: size.name)
def table(request):
    return measure(request.param, presets_to_measure(load_presets()))


@pytest.fixture
def sizes(table):
    D, layers = table.backbone.hidden_size, table.backbone.layers
    return D, layers, bert(D, layers, 4 * D)


@pytest.mark.parametrize(("size", "total"), [(MINILM, 22_565_376), (BERT_BASE, 108_891_648)])
def test_bert_without_its_pooler_has_the_parameters_that_are_known_of_it(size, total):
    D = size.hidden_size
    assert bert(D, size.layers, size.intermediate_size) == total
    with torch.device("meta"):
        encoder = BertEncoder(bert_shape(size))
    assert sum(p.numel() for p in encoder.parameters()) == total
    assert measure(size, {}).backbone_total == total


def test_bert_base_is_the_published_model_less_its_pooler():
    assert bert(768, 12, 3072) == 109_482_240 - linear(768, 768)


def test_amb_has_the_reconstruction_s_parameters(table, sizes):
    D, layers, frozen = sizes
    new = (
        adapters(D, layers, 1) + encoder(AUDIO) + encoder(VISUAL) + fusion(D, layers)
        + linear(D, HEAD)
    )  # fmt: skip
    assert new == {384: 798_825, 768: 2_549_529}[D]
    size = table.size_of("amb")
    assert (size.total, size.trainable) == (frozen + new, new)
    assert not size.trains_word_embedding


def test_houlsby_has_two_adapters_a_layer(table, sizes):
    D, layers, _ = sizes
    more = table.size_of("amb_houlsby").trainable - table.size_of("amb").trainable
    assert more == adapters(D, layers, 1)
    adapters_alone = table.size_of("adapter_text").trainable - linear(D, HEAD)
    assert adapters_alone + more == adapters(D, layers, 2)


def test_the_fine_tuned_counterpart_trains_bert_in_place_of_adapters(table, sizes):
    D, layers, tuned = sizes
    size = table.size_of("finetuned_fusion")
    new = encoder(AUDIO) + encoder(VISUAL) + fusion(D, layers) + linear(D, HEAD)
    assert size.total == size.trainable == tuned + new
    assert size.trains_word_embedding


def test_fusion_in_the_last_layers_and_single_modalities_have_less(table, sizes):
    D, _, frozen = sizes
    amb = table.size_of("amb").trainable
    one_layer = fusion(D, 1)
    skipped = table.backbone.layers - 3
    assert table.size_of("amb_last3").trainable == amb - skipped * one_layer
    narrower = table.backbone.layers * W * BOTTLENECK
    assert table.size_of("amb_audio").trainable == amb - encoder(VISUAL) - narrower
    assert table.size_of("frozen_text").total == frozen + linear(D, HEAD)


def test_rows_without_words_have_no_bert(table):
    head = linear(W, JOINT) + linear(JOINT, HEAD)
    for preset, features in {
        "audio_only": AUDIO,
        "visual_only": VISUAL,
        "glove_only": GLOVE,
    }.items():
        size = table.size_of(preset)
        assert size.total == size.trainable == encoder(features) + head


def test_every_row_fits_and_has_at_least_what_it_trains(table):
    for row in table.rows:
        assert row.misfit == ""
        assert 0 < row.size.trainable <= row.size.total
        assert row.size.checkpoint_bytes > 4 * row.size.trainable


def test_a_method_with_a_preset_a_data_set_is_measured_once():
    presets = {
        name: Preset(builder=name.split("_")[0])
        for name in ("amb", "amb_gated", "lmf_mosi", "lmf_mosei", "lmf_authors", "tfn_mosei")
    }
    presets["constant"] = Preset(builder="mean_predictor")
    assert list(presets_to_measure(presets)) == ["amb", "amb_gated", "lmf_mosei", "tfn_mosei"]


def test_a_preset_that_does_not_fit_says_so():
    small = BackboneSize("small", 32, 2, 4, 64)
    table = measure(small, {"amb_last3": load_presets()["amb_last3"]})
    assert table.size_of("amb_last3") is None
    assert "found 3, expected 1 to 2, BERT's layers" in table.rows[0].misfit


def test_nothing_is_allocated():
    with torch.device("meta"):
        frozen = WeightlessBackbone.of(BERT_BASE).load(trainable=False)
    assert {p.device.type for p in frozen.parameters()} == {"meta"}
    assert not any(p.requires_grad for p in frozen.parameters())


def test_a_run_s_own_model_has_the_counts_of_one_without_weights(tiny):
    """The tiny study's backbone: read from its folder, and from its sizes alone."""
    open_context.cache_clear()
    job = Job(tiny.file, tiny.store, tiny.backbone, "finetuned_fusion", tiny.store, "cpu")
    context = open_context(job)
    shape = context.backbone.shape
    twin = WeightlessBackbone(tiny.backbone, context.study.backbone, shape)
    with torch.device("meta"):
        weightless = find_builder("finetuned_fusion")({}, twin, context.features)
    assert size_of_model(weightless, "x") == size_of_model(build_model(job, 1111), "x")
