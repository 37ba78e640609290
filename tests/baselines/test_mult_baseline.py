"""MulT's projections, masks and last states; the transformer beside a loop written for the test."""

import math

import pytest
import torch

from amb.data.frames import Frames
from amb.errors import InputError
from amb.model.backbone import Backbone
from amb.model.crossmodal import (
    CrossmodalLayer,
    CrossmodalTransformer,
    fused_attention,
    sinusoids,
)
from amb.model.method import FeatureShape, find_builder
from amb.model.recurrent import at_last
from amb.study import load_study
from baselines.mult import TemporalProjection

W, HEADS = 6, 2


@pytest.fixture
def backbone(tiny):
    return Backbone(tiny.backbone, load_study(tiny.file).backbone)


def frames(lengths, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return Frames(torch.randn(*mask.shape, width, generator=generator), mask)


def transformer(causal=True, positions=True):
    torch.manual_seed(4)
    layers = [CrossmodalLayer(W, HEADS, 0.1, 0.1, 0.1) for _ in range(2)]
    return CrossmodalTransformer(layers, W, 0.2, causal, positions).eval()


def attend(attention, query, keys, heads=HEADS):
    """Return what one query (W,) gets from keys (J, W), head by head."""
    weights, biases = attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3)
    q, k, v = (x @ w.T + b for x, w, b in zip((query, keys, keys), weights, biases, strict=True))
    size = W // heads
    mixed = [
        (k[:, h : h + size] @ q[h : h + size] / math.sqrt(size)).softmax(0) @ v[:, h : h + size]
        for h in range(0, W, size)
    ]
    return attention.out_proj(torch.cat(mixed))


def reference(model, target, source):
    """Rewrite one unpadded target (T, W) by a source (T', W), query by query."""
    states, keys = (
        math.sqrt(W) * s + sinusoids(len(s), W, torch.device("cpu")) for s in (target, source)
    )
    ahead = abs(len(source) - len(target))
    for layer in model.layers:
        norm, known = layer.attention_norm(states), layer.attention_norm(keys)
        attended = [
            attend(layer.attention, norm[i], known[: i + ahead + 1]) for i in range(len(states))
        ]
        states = states + torch.stack(attended)
        widened = torch.relu(layer.widen(layer.feed_forward_norm(states)))
        states = states + layer.narrow(widened)
    return model.norm(states)


def test_the_crossmodal_transformer_equals_a_loop_over_queries_and_heads():
    model = transformer()
    target, source = frames((5, 2), W), frames((3, 7), W, seed=1)
    rewritten = model(target, source).values
    for row, (own, other) in enumerate([(5, 3), (2, 7)]):
        expected = reference(model, target.values[row, :own], source.values[row, :other])
        torch.testing.assert_close(rewritten[row, :own], expected, rtol=1e-5, atol=1e-5)


def test_without_a_source_each_state_sees_itself_and_the_past_alone():
    model = transformer()
    target = frames((5,), W)
    later = Frames(target.values.clone(), target.mask)
    later.values[0, 3:, 0] += 1
    before, after = model(target).values, model(later).values
    torch.testing.assert_close(after[0, :3], before[0, :3])
    assert not torch.allclose(after[0, 3], before[0, 3])


def test_fused_attention_equals_batched_products_at_a_width_that_is_no_multiple_of_8():
    generator = torch.Generator().manual_seed(6)
    query, key, value = torch.randn(3, 2, HEADS, 5, 3, generator=generator).unbind()
    allowed = torch.rand(2, 1, 5, 5, generator=generator) < 0.5
    allowed[..., 0] = True
    scores = (query @ key.transpose(-1, -2) / math.sqrt(3)).masked_fill(~allowed, float("-inf"))
    expected = scores.softmax(-1) @ value
    torch.testing.assert_close(fused_attention(query, key, value, allowed), expected)


def test_positions_are_sines_and_cosines_counted_from_1():
    table = sinusoids(2, 5, torch.device("cpu"))
    expected = [[math.sin(t), math.sin(t / 1e4), math.cos(t), math.cos(t / 1e4), 0] for t in (1, 2)]
    torch.testing.assert_close(table, torch.tensor(expected))


def test_a_projection_reads_whole_windows_and_one_of_what_is_shorter():
    project = TemporalProjection(2, 3, kernel=3)
    sequences = frames((5, 4, 1), 2)
    projected = project(sequences)
    assert projected.mask.sum(1).tolist() == [3, 2, 1]
    weight = project.convolution.weight  # (W, F, kernel)
    window = torch.zeros(3, 2)
    window[0] = sequences.values[2, 0]
    torch.testing.assert_close(projected.values[2, 0], torch.einsum("wfk,kf->w", weight, window))
    alone = project(Frames(sequences.values[2:, :1], sequences.mask[2:, :1]))
    torch.testing.assert_close(alone.values[0, 0], projected.values[2, 0])


def test_last_means_the_last_real_state():
    states = frames((4, 1), W)
    assert torch.equal(
        at_last(states.values, states.mask), torch.stack([states.values[0, 3], states.values[1, 0]])
    )


def test_two_modalities_have_one_transformer_each_way(backbone):
    features = FeatureShape({"visual": 3}, {"visual": False})
    model = find_builder("mult")({"width": 8, "heads": 2}, backbone, features)
    assert sorted(model.crossmodal) == ["text_from_visual", "visual_from_text"]
    assert model.head.in_features == 2 * 8
    assert not model.trainable_groups()["backbone"]


def test_bert_trains_where_it_is_asked_to(backbone):
    features = FeatureShape({"audio": 3}, {"audio": False})
    assert find_builder("mult")({"finetune": True}, backbone, features).trainable_groups()[
        "backbone"
    ]


def test_heads_must_divide_the_width(backbone):
    features = FeatureShape({"audio": 3}, {"audio": False})
    with pytest.raises(
        InputError, match=r"options.heads: found 7, expected a divisor of the width"
    ):
        find_builder("mult")({"heads": 7}, backbone, features)
