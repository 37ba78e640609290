"""LMF's low-rank product against the full tensor that it stands for."""

import torch

from baselines.lmf import LowRankFusion

WIDTHS = {"audio": 2, "visual": 3, "text": 4}
RANK = 3


def test_low_rank_fusion_equals_the_contraction_of_the_full_tensor():
    fusion = LowRankFusion(WIDTHS, RANK)
    vectors = {m: torch.randn(5, width) for m, width in WIDTHS.items()}
    audio, visual, text = (fusion.factors[m] for m in WIDTHS)
    weight = torch.zeros(3, 4, 5)  # the tensor that would read TFN's outer product
    for r in range(RANK):
        rank_one = audio[r][:, None, None] * visual[r][None, :, None] * text[r][None, None, :]
        weight = weight + fusion.over_ranks.weight[0, r] * rank_one
    z = {m: torch.cat([torch.ones(5, 1), vector], dim=1) for m, vector in vectors.items()}
    outer = z["audio"][:, :, None, None] * z["visual"][:, None, :, None] * z["text"][:, None, None]
    expected = (outer * weight).sum((1, 2, 3)) + fusion.over_ranks.bias
    torch.testing.assert_close(fusion(vectors), expected)


def test_without_a_modality_the_tensor_has_one_dimension_less():
    fusion = LowRankFusion({"audio": 2, "text": 4}, 1)
    ones = {"audio": torch.zeros(1, 2), "text": torch.zeros(1, 4)}  # only the constants are left
    constants = fusion.factors["audio"][0, 0] * fusion.factors["text"][0, 0]
    expected = fusion.over_ranks.weight[0, 0] * constants + fusion.over_ranks.bias
    torch.testing.assert_close(fusion(ones), expected)


def test_factors_start_by_xavier_with_the_fans_of_the_public_code():
    torch.manual_seed(0)
    fusion = LowRankFusion({"audio": 999, "text": 499}, 40)
    for modality, width in (("audio", 1000), ("text", 500)):
        expected = (2 / (width + 40)) ** 0.5
        assert abs(fusion.factors[modality].std().item() / expected - 1) < 0.02
    assert fusion.over_ranks.bias.item() == 0
