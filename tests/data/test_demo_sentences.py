"""The sentiment of a sentence is a function of its words, checked by a separate reader of them."""

import itertools

import numpy as np
import pytest

from amb.data.demo import lexicon, sentences
from amb.data.demo.streams import stream

GRADE_OF = {
    **{word: grade for grade, words in lexicon.ADJECTIVES.items() for word in words},
    **{form: grade for grade, verbs in lexicon.VERBS.items() for verb in verbs for form in verb},
}
FACTOR_OF = {
    "not": -0.5,
    **dict.fromkeys(itertools.chain(*lexicon.INTENSIFIERS.values()), 1.25),
    **dict.fromkeys(itertools.chain(*lexicon.DOWNTONERS.values()), 0.5),
}


def read_sentiment(words: tuple[str, ...]) -> float:
    """Read a sentence's raw sentiment off its words alone."""
    clauses = [
        GRADE_OF[word] * FACTOR_OF.get(words[position - 1], 1.0)
        for position, word in enumerate(words)
        if word in GRADE_OF
    ]
    if "and" in words:
        return (clauses[0] + clauses[1]) / 2
    if "but" in words:
        return (clauses[0] + 2 * clauses[1]) / 3
    (only,) = clauses
    return only


@pytest.fixture(scope="module")
def sample() -> list[sentences.Sentence]:
    topics = tuple(lexicon.TOPICS)
    rng = stream(3, "test")
    return [sentences.sample_sentence(topics[i % len(topics)], rng) for i in range(20_000)]


def test_sentiment_is_read_off_the_words_alone(sample: list[sentences.Sentence]) -> None:
    raw = np.array([read_sentiment(sentence.words) for sentence in sample])
    told = np.array([sentence.sentiment for sentence in sample])
    factor = raw[0] / told[0]
    np.testing.assert_allclose(raw, factor * told, rtol=1e-12)


def test_sampling_follows_the_enumerated_distribution(sample: list[sentences.Sentence]) -> None:
    values, probabilities = sentences.sentiment_distribution()
    told = np.array([sentence.sentiment for sentence in sample])
    nearest = np.abs(told[:, None] - values).argmin(axis=1)
    np.testing.assert_allclose(values[nearest], told, atol=1e-9)
    expected = probabilities * len(sample)
    frequent = expected > 20
    observed = np.bincount(nearest, minlength=len(values))
    chi2 = np.sum((observed - expected)[frequent] ** 2 / expected[frequent])
    assert chi2 < frequent.sum() + 5 * np.sqrt(2 * frequent.sum())


def test_sentiment_is_standardised_and_symmetric() -> None:
    values, probabilities = sentences.sentiment_distribution()
    assert probabilities.sum() == pytest.approx(1)
    assert np.sum(probabilities * values) == pytest.approx(0, abs=1e-12)
    assert np.sum(probabilities * values**2) == pytest.approx(1)
    np.testing.assert_allclose(values, -values[::-1])
    np.testing.assert_allclose(probabilities, probabilities[::-1])
    assert abs(values).max() < 2  # light tails: labels use most of [-3, 3]


def test_sentences_have_5_to_25_words_of_varying_number(sample: list[sentences.Sentence]) -> None:
    lengths = np.array([len(sentence.words) for sentence in sample])
    assert lengths.min() >= 5
    assert lengths.max() <= 25
    assert lengths.std() > 3


def test_sentiment_positions_point_at_sentiment_words(sample: list[sentences.Sentence]) -> None:
    for sentence in sample[:2000]:
        found = [i for i, word in enumerate(sentence.words) if word in GRADE_OF]
        assert list(sentence.sentiment_positions) == found


def test_lexicon_is_mirrored_and_large_enough() -> None:
    for table in (lexicon.ADJECTIVES, lexicon.VERBS):
        assert all(len(table[grade]) == len(table[-grade]) for grade in (1, 2, 3))
    adjectives_and_verbs = [*lexicon.ADJECTIVES.items(), *lexicon.VERBS.items()]
    assert sum(len(words) for grade, words in adjectives_and_verbs if grade > 0) >= 40


def test_no_sentiment_word_has_two_grades() -> None:
    forms = [
        *itertools.chain(*lexicon.ADJECTIVES.values()),
        *itertools.chain(*itertools.chain(*lexicon.VERBS.values())),
    ]
    assert len(forms) == len(set(forms))


def test_filler_and_topics_are_neutral() -> None:
    neutral = [
        *lexicon.OPENINGS,
        *lexicon.CLOSINGS,
        *lexicon.ADJECTIVE_FRAMES,
        *lexicon.TOPICS,
        *itertools.chain(*lexicon.TOPICS.values()),
    ]
    meaningful = {*GRADE_OF, *FACTOR_OF, "and", "but"}
    assert meaningful.isdisjoint(word for text in neutral for word in text.split())
