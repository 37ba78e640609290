"""What corruptions do to a batch, and that it depends on the utterance alone."""

from __future__ import annotations

import pytest
import torch

from amb.data.batches import SplitData
from amb.evaluation.corruption.split import CorruptedSplit

MASK = 103
POINTS = [
    *("gaussian:audio:1:0", "feature_dropout:audio:0.5:0", "temporal_shuffle:audio:1:0"),
    *("missing:audio:0.5:0", "gaussian:audio+visual:1:0", "missing:text:0.5:0"),
    "token_mask:text:0.5:0",
]


def contents(batch, row):
    """Return what a batch holds of one utterance, without its padding."""
    tokens = batch.token_ids[row][batch.token_mask[row]]
    frames = [batch.frames[m].values[row][batch.frames[m].mask[row]] for m in ("audio", "visual")]
    return [tokens, *frames]


@pytest.mark.parametrize("name", POINTS)
def test_an_utterance_is_corrupted_alike_in_any_company_and_order(corrupt_batch, name):
    together, apart = corrupt_batch(name), corrupt_batch(name, [3, 1])
    for row, place in ((3, 0), (1, 1)):
        for one, other in zip(contents(together, row), contents(apart, place), strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("name", POINTS)
def test_level_zero_is_the_clean_batch_to_the_bit(split, corrupt_batch, name):
    kind, target, _, draw = name.split(":")
    corrupted, clean = corrupt_batch(f"{kind}:{target}:0:{draw}"), split.batch(torch.arange(5))
    assert torch.equal(corrupted.token_ids, clean.token_ids)
    for modality in ("audio", "visual"):
        assert torch.equal(corrupted.frames[modality].values, clean.frames[modality].values)


@pytest.mark.parametrize("name", POINTS)
def test_lengths_and_padding_stay_and_something_changes(split, corrupt_batch, name):
    corrupted, clean = corrupt_batch(name), split.batch(torch.arange(5))
    assert torch.equal(corrupted.token_mask, clean.token_mask)
    assert torch.equal(corrupted.word_index, clean.word_index)
    changed = not torch.equal(corrupted.token_ids, clean.token_ids)
    for modality in ("audio", "visual"):
        now, before = corrupted.frames[modality], clean.frames[modality]
        assert torch.equal(now.mask, before.mask)
        assert not now.values[~now.mask].any()
        changed |= not torch.equal(now.values, before.values)
    assert changed


@pytest.mark.parametrize("name", ["gaussian:audio:1:0", "token_mask:text:0.5:0"])
def test_another_draw_is_another_corruption(corrupt_batch, name):
    one, other = corrupt_batch(name), corrupt_batch(name.removesuffix("0") + "1")
    assert any(
        not torch.equal(a, b)
        for row in range(5)
        for a, b in zip(contents(one, row), contents(other, row), strict=True)
    )


def test_levels_scale_one_field_of_normal_numbers_in_the_feature_s_unit(split, corrupt_batch):
    clean = split.batch(torch.arange(5)).frames["audio"].values
    small, large = (
        corrupt_batch(f"gaussian:audio:{level}:0", std=3.0).frames["audio"].values - clean
        for level in (0.5, 2)
    )
    torch.testing.assert_close(large, 4 * small)
    pair = corrupt_batch("gaussian:audio+visual:2:0", std=3.0).frames["audio"].values - clean
    torch.testing.assert_close(pair, large)
    assert large[large != 0].std() == pytest.approx(6, rel=0.2)


def test_what_is_dropped_becomes_the_mean_and_stays_dropped_at_a_larger_share(split, corrupt_batch):
    clean = split.batch(torch.arange(5)).frames["visual"]
    few, many, all_ = (
        corrupt_batch(f"feature_dropout:visual:{level}:0", mean=9.0).frames["visual"].values == 9
        for level in (0.3, 0.6, 1)
    )
    assert 0 < few.sum() < many.sum() < all_.sum()
    assert bool((many | ~few).all())
    assert torch.equal(all_, clean.mask.unsqueeze(-1).expand_as(all_))


def test_shuffled_frames_are_the_utterance_s_own_in_another_order(split, corrupt_batch):
    shuffled = corrupt_batch("temporal_shuffle:audio:1:0").frames["audio"]
    clean = split.batch(torch.arange(5)).frames["audio"]
    moved = 0
    for row, length in enumerate(clean.mask.sum(1).tolist()):
        own, now = clean.values[row, :length], shuffled.values[row, :length]
        moved += not torch.equal(own, now)
        assert sorted(own[:, 0].tolist()) == sorted(now[:, 0].tolist())
        assert {tuple(f) for f in own.tolist()} == {tuple(f) for f in now.tolist()}
    assert moved >= 4


def test_a_missing_modality_is_its_mean_and_missing_words_are_masks(split, corrupt_batch):
    clean = split.batch(torch.arange(5))
    gone = corrupt_batch("missing:audio+text:1:0", mean=2.0)
    assert bool((gone.frames["audio"].values[clean.frames["audio"].mask] == 2).all())
    assert torch.equal(gone.frames["visual"].values, clean.frames["visual"].values)
    words = clean.word_index >= 0
    assert bool((gone.token_ids[words] == MASK).all())
    assert torch.equal(gone.token_ids[~words], clean.token_ids[~words])  # [CLS], [SEP], padding


def test_special_tokens_are_never_masked(split, corrupt_batch):
    clean, masked = split.batch(torch.arange(5)), corrupt_batch("token_mask:text:1:0")
    words = clean.word_index >= 0
    assert bool((masked.token_ids[words] == MASK).all())
    assert torch.equal(masked.token_ids[~words], clean.token_ids[~words])


def test_what_nobody_asks_for_is_not_corrupted(split):
    asked = []
    seen = CorruptedSplit.of(split, lambda batch, ids: asked.append(ids) or batch)
    assert isinstance(seen, SplitData)
    assert len(seen) == len(split)
    seen.batch(torch.tensor([4, 0]))
    assert asked == [["u4", "u0"]]


def test_the_noise_of_embeddings_is_packed_as_the_encoder_packs_and_spares_special_tokens(split):
    from amb.evaluation.corruption.encoders import EmbeddingNoise
    from amb.evaluation.corruption.fields import FieldKey

    noise = EmbeddingNoise(FieldKey("embedding_noise", "text", 0), 0.5, 4)
    both, alone = split.batch(torch.tensor([1, 2])), split.batch(torch.tensor([2]))
    noise.begin(both, ["u1", "u2"])
    together = noise.packed
    noise.begin(alone, ["u2"])
    assert torch.equal(together[7:], noise.packed)
    assert together.shape == (10, 4)
    special = both.word_index[both.token_mask] < 0
    assert not together[special].any()
    assert together[~special].std() == pytest.approx(0.5, rel=0.3)
