from collections.abc import Callable

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from amb.data.contract import checked
from amb.data.dataset import Dataset
from amb.data.demo import DemoSettings, generate
from amb.data.demo.generator import Generated
from amb.errors import InputError

SHARES = {"text": 0.5, "audio": 0.12, "visual": 0.08, "interaction": 0.22}


@pytest.fixture(scope="module")
def large() -> tuple[DemoSettings, Generated]:
    settings = DemoSettings(
        seed=11,
        videos={"train": 3000, "valid": 1, "test": 1},
        utterances_per_video=4,
        shares=SHARES,
    )
    return settings, generate(settings)


def r2(target: np.ndarray, prediction: np.ndarray) -> float:
    return float(1 - np.mean((target - prediction) ** 2) / np.var(target))


def test_shares_are_realised_by_oracles(large: tuple[DemoSettings, Generated]) -> None:
    settings, (_, _, labels, truth) = large
    of = settings.coefficients()
    y = labels["label"].to_numpy(np.float64) / of.scale
    text = of.sentiment * (1 - 2 * of.sarcasm) * truth["s"]
    audio, visual = of.audio * truth["e_a"], of.visual * truth["e_v"]
    heard_and_seen = of.sentiment * truth["s"] * truth["z"]
    expected = {
        "text": (text, SHARES["text"]),
        "audio": (audio, SHARES["audio"]),
        "visual": (visual, SHARES["visual"]),
        "text and face": (heard_and_seen, SHARES["text"] + SHARES["interaction"]),
        "all": (heard_and_seen + audio + visual, sum(SHARES.values())),
    }
    # about three standard errors at 12,000 utterances; emphasis is correlated within videos
    for name, (prediction, share) in expected.items():
        assert r2(y, prediction) == pytest.approx(share, abs=0.025), name
    assert y.var() == pytest.approx(1, abs=0.03)


def test_components_are_uncorrelated_and_of_unit_variance(
    large: tuple[DemoSettings, Generated],
) -> None:
    _, (_, _, _, truth) = large
    parts = np.stack(
        [truth["s"], truth["s"] * truth["z"], truth["e_a"], truth["e_v"], truth["epsilon"]]
    )
    np.testing.assert_allclose(np.mean(parts**2, axis=1), 1, atol=0.04)
    correlation = np.corrcoef(parts)
    correlation[0, 1] = correlation[1, 0] = 0  # the words' sentiment, told straight or not
    np.testing.assert_allclose(correlation, np.eye(5), atol=0.04)


def test_sarcasm_is_as_frequent_as_the_shares_ask(large: tuple[DemoSettings, Generated]) -> None:
    settings, (_, _, _, truth) = large
    assert settings.coefficients().sarcasm == pytest.approx(1 / 12)
    assert np.mean(truth["z"] == -1) == pytest.approx(1 / 12, abs=0.01)


def test_labels_lie_in_range_and_use_it(large: tuple[DemoSettings, Generated]) -> None:
    _, (_, _, labels, _) = large
    assert abs(labels["label"]).max() <= 3
    assert labels["label"].std() > 0.9
    assert abs(labels["label"].mean()) < 0.05


@pytest.mark.parametrize(
    "shares",
    [
        {"text": 1.0, "audio": 0.0, "visual": 0.0, "interaction": 0.0},
        {"text": 0.25, "audio": 0.25, "visual": 0.25, "interaction": 0.25},
        {"text": 0.01, "audio": 0.0, "visual": 0.0, "interaction": 0.99},
    ],
)
def test_largest_label_is_three_by_construction(
    demo_settings: Callable[..., DemoSettings], shares: dict[str, float]
) -> None:
    of = demo_settings(shares=shares).coefficients()
    largest_s = 3 * 1.25 / 2.0080  # the raw maximum over the raw deviation
    largest = of.scale * (of.sentiment * largest_s + (of.audio + of.visual + of.noise) * np.sqrt(3))
    assert largest == pytest.approx(3, rel=1e-4)
    total = of.sentiment**2 + of.audio**2 + of.visual**2 + of.noise**2
    assert total == pytest.approx(1)


def test_no_interaction_means_no_sarcasm(demo_settings: Callable[..., DemoSettings]) -> None:
    settings = demo_settings(shares={**SHARES, "interaction": 0})
    assert settings.coefficients().sarcasm == 0
    assert (generate(settings)[3]["z"] == 1).all()


def test_voice_tells_vocal_emphasis_to_a_linear_probe(
    large: tuple[DemoSettings, Generated],
) -> None:
    _, (_, features, _, truth) = large
    audio, visual = (pooled(features[modality]) for modality in ("audio", "visual"))
    assert probe_r2(audio, truth["e_a"].to_numpy()) > 0.9
    assert probe_r2(visual, truth["e_v"].to_numpy()) > 0.9


def test_only_the_right_modality_tells_each_signal(large: tuple[DemoSettings, Generated]) -> None:
    _, (_, features, _, truth) = large
    audio, visual = (pooled(features[modality]) for modality in ("audio", "visual"))
    assert probe_r2(visual, truth["e_a"].to_numpy()) < 0.01
    assert probe_r2(audio, truth["e_v"].to_numpy()) < 0.01
    assert probe_r2(audio, truth["z"].to_numpy()) < 0.01
    assert probe_r2(np.hstack([audio, visual]), truth["s"].to_numpy()) < 0.01


def test_sarcasm_is_seen_at_sentiment_words(large: tuple[DemoSettings, Generated]) -> None:
    _, (_, features, _, truth) = large
    at_words = np.stack(
        [
            features["visual"][row][list(positions)].mean(axis=0)
            for row, positions in enumerate(truth["sentiment_positions"])
        ]
    )
    z = truth["z"].to_numpy()
    half = len(z) // 2
    probe = LogisticRegression(class_weight="balanced").fit(at_words[:half], z[:half])
    for sign in (+1, -1):
        held_out = z[half:] == sign
        assert probe.score(at_words[half:][held_out], z[half:][held_out]) > 0.95


def pooled(features) -> np.ndarray:
    return np.stack([frames.mean(axis=0) for frames in features])


def probe_r2(inputs: np.ndarray, target: np.ndarray) -> float:
    """Fit least squares on the first half; score the second."""
    inputs = np.column_stack([inputs, np.ones(len(inputs))])
    half = len(target) // 2
    weights, *_ = np.linalg.lstsq(inputs[:half], target[:half], rcond=None)
    return r2(target[half:], inputs[half:] @ weights)


def test_two_runs_give_the_same_data(demo_settings: Callable[..., DemoSettings]) -> None:
    first, second = generate(demo_settings()), generate(demo_settings())
    assert first[0].equals(second[0])
    assert first[2].equals(second[2])
    for modality in ("audio", "visual"):
        np.testing.assert_array_equal(first[1][modality].values, second[1][modality].values)


def test_another_seed_gives_other_data(demo_settings: Callable[..., DemoSettings]) -> None:
    first, second = generate(demo_settings()), generate(demo_settings(seed=8))
    assert not first[2]["label"].equals(second[2]["label"])
    assert not first[0]["text"].equals(second[0]["text"])


def test_more_videos_of_one_split_change_nothing_else(
    demo_settings: Callable[..., DemoSettings],
) -> None:
    few = generate(demo_settings())
    many = generate(demo_settings(videos={"train": 6, "valid": 2, "test": 3}))
    kept = many[0]["id"].isin(few[0]["id"]).to_numpy()
    assert kept.sum() == len(few[0])
    assert many[0][kept].reset_index(drop=True).equals(few[0])
    assert many[2][kept].reset_index(drop=True).equals(few[2])
    rows = np.flatnonzero(kept)
    for modality in ("audio", "visual"):
        for small, large in enumerate(rows):
            np.testing.assert_array_equal(few[1][modality][small], many[1][modality][large])


def test_feature_noise_changes_neither_words_nor_labels(
    demo_settings: Callable[..., DemoSettings],
) -> None:
    quiet, loud = generate(demo_settings(feature_noise=0)), generate(demo_settings(feature_noise=2))
    assert quiet[0].equals(loud[0])
    assert quiet[2].equals(loud[2])
    difference = loud[1]["audio"].values - quiet[1]["audio"].values
    assert difference.std() == pytest.approx(2, rel=0.1)


def test_speakers_have_two_videos_at_most_and_one_split(
    demo_settings: Callable[..., DemoSettings],
) -> None:
    utterances, *_ = generate(demo_settings(videos={"train": 40, "valid": 20, "test": 20}))
    by_speaker = utterances.groupby("speaker")
    assert set(by_speaker["video"].nunique()) == {1, 2}
    assert (by_speaker["split"].nunique() == 1).all()


def test_demo_keeps_the_data_contract(demo_settings: Callable[..., DemoSettings]) -> None:
    utterances, features, labels, _ = generate(demo_settings())
    dataset = Dataset(utterances, features, labels, {"audio": True, "visual": True})
    checked(dataset, "study")
    assert all(np.isfinite(own.values).all() for own in features.values())
    assert utterances["id"].iloc[5] == "demo_train_001[1]"
    assert features["audio"].dimension == 12
    assert features["visual"].dimension == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shares": {**SHARES, "text": 0.7}}, "shares: found 'a sum of 1.12'"),
        ({"shares": {**SHARES, "text": 0.0}}, "shares.text: found 0.0, expected a number above 0"),
        ({"shares": {**SHARES, "audio": -0.1}}, "no negative share"),
        ({"shares": {"text": 0.5}}, "expected text, audio, visual, interaction"),
        ({"videos": {"train": 1, "valid": 1, "test": 0}}, "at least 1 a split"),
        ({"utterances_per_video": 0}, "utterances_per_video: found 0"),
        ({"feature_noise": -1.0}, "feature_noise: found -1.0"),
    ],
)
def test_impossible_settings_are_refused(
    demo_settings: Callable[..., DemoSettings], changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        demo_settings(**changes)
