from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Ridge

from amb.data.demo import DemoSettings, bounds
from amb.data.demo.bounds import expected_distance
from amb.data.demo.lexicon import TOPICS
from amb.data.demo.sentences import sample_sentence, sentiment_distribution
from amb.data.demo.settings import HALF_WIDTH
from amb.data.demo.streams import stream

SUBSETS = ("text", "audio", "visual", "text+audio", "text+visual", "audio+visual")


def draw(settings: DemoSettings, count: int) -> dict[str, np.ndarray]:
    """Draw the components of ``count`` labels from the model's equation, and the labels."""
    rng = np.random.default_rng(0)
    of = settings.coefficients()
    values, probabilities = sentiment_distribution()
    parts = {
        "s": rng.choice(values, count, p=probabilities / probabilities.sum()),
        "z": np.where(rng.random(count) < of.sarcasm, -1.0, 1.0),
        **{name: rng.uniform(-HALF_WIDTH, HALF_WIDTH, count) for name in ("e_a", "e_v", "eps")},
    }
    parts["y"] = of.scale * (
        of.sentiment * parts["s"] * parts["z"]
        + of.audio * parts["e_a"]
        + of.visual * parts["e_v"]
        + of.noise * parts["eps"]
    )
    return parts


def test_r2_is_the_sum_of_the_visible_shares(demo_settings: Callable[..., DemoSettings]) -> None:
    found = {name: value["r2"] for name, value in bounds(demo_settings()).items()}
    assert found == pytest.approx(
        {
            "constant": 0.0,
            "text": 0.5,
            "audio": 0.12,
            "visual": 0.08,
            "text+audio": 0.62,
            "text+visual": 0.8,
            "audio+visual": 0.2,
            "text+audio+visual": 0.92,
        }
    )
    assert bounds(demo_settings())["text"]["corr"] == pytest.approx(np.sqrt(0.5))


def test_mae_matches_the_conditional_median_of_a_large_sample(
    demo_settings: Callable[..., DemoSettings],
) -> None:
    settings = demo_settings()
    of, found = settings.coefficients(), bounds(settings)
    parts = draw(settings, 400_000)
    y = parts["y"]
    audio, visual = of.scale * of.audio * parts["e_a"], of.scale * of.visual * parts["e_v"]
    sarcastic = of.scale * of.sentiment * parts["s"] * parts["z"]
    rest = y - audio  # what the words say of the label, given the voice too
    empirical = {
        "constant": y,
        "audio": y - audio,
        "audio+visual": y - audio - visual,
        "text+visual": y - sarcastic - visual,
        "text+audio+visual": y - sarcastic - visual - audio,
        "text": y - median_by_value(parts["s"], y),
        "text+audio": rest - median_by_value(parts["s"], rest),
    }
    for name, errors in empirical.items():
        assert found[name]["mae"] == pytest.approx(np.abs(errors).mean(), abs=0.003), name


def median_by_value(keys: np.ndarray, target: np.ndarray) -> np.ndarray:
    medians = np.empty_like(target)
    for key in np.unique(keys):
        medians[keys == key] = np.median(target[keys == key])
    return medians


def test_seeing_more_never_hurts(demo_settings: Callable[..., DemoSettings]) -> None:
    found = bounds(demo_settings())
    for name in SUBSETS:
        assert found["text+audio+visual"]["mae"] < found[name]["mae"] < found["constant"]["mae"]
        assert found[name]["r2"] < found["text+audio+visual"]["r2"]


@pytest.mark.parametrize("widths", [[], [0.7], [0.7, 0.2], [0.7, 0.2, 1.3]])
def test_expected_distance_agrees_with_simulation(widths: list[float]) -> None:
    rng = np.random.default_rng(4)
    noise = sum((rng.uniform(-w, w, 200_000) for w in widths), np.zeros(200_000))
    points = np.array([-3.0, -0.4, 0.0, 0.9, 2.5])
    simulated = np.abs(noise[:, None] - points).mean(axis=0)
    np.testing.assert_allclose(expected_distance(points, widths), simulated, atol=0.006)


def test_noiseless_label_can_be_predicted_without_error(
    demo_settings: Callable[..., DemoSettings],
) -> None:
    shares = {"text": 0.5, "audio": 0.2, "visual": 0.1, "interaction": 0.2}
    best = bounds(demo_settings(shares=shares))["text+audio+visual"]
    assert best["r2"] == pytest.approx(1)
    assert best["mae"] == pytest.approx(0, abs=1e-9)


def test_without_interaction_the_face_adds_its_own_share_only(
    demo_settings: Callable[..., DemoSettings],
) -> None:
    shares = {"text": 0.5, "audio": 0.2, "visual": 0.1, "interaction": 0}
    found = bounds(demo_settings(shares=shares))
    assert found["text+visual"]["r2"] == pytest.approx(0.6)
    assert np.isfinite([value["mae"] for value in found.values()]).all()


def test_no_regression_on_words_beats_the_text_bound(
    demo_settings: Callable[..., DemoSettings],
) -> None:
    settings = demo_settings()
    topics, rng = tuple(TOPICS), stream(0, "corpus")
    count = 16_000
    corpus = [sample_sentence(topics[i % len(topics)], rng) for i in range(count)]
    parts = draw(settings, count)
    of = settings.coefficients()
    told = np.array([sentence.sentiment for sentence in corpus])
    y = parts["y"] + of.scale * of.sentiment * parts["z"] * (told - parts["s"])
    texts = [" ".join(sentence.words) for sentence in corpus]
    counts: csr_array = CountVectorizer(ngram_range=(1, 2)).fit_transform(texts)
    half = count // 2
    prediction = Ridge(1.0).fit(counts[:half], y[:half]).predict(counts[half:])
    held_out = y[half:]
    reached = 1 - np.mean((held_out - prediction) ** 2) / held_out.var()
    bound = bounds(settings)["text"]
    assert 0.6 * bound["r2"] < reached < bound["r2"] + 0.02  # 0.02: sampling error of R²
    assert np.abs(held_out - prediction).mean() > bound["mae"]
