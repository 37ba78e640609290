"""Sentences whose sentiment is a known function of their words.

A clause holds one sentiment word of grade ±1, ±2 or ±3, whose value a modifier multiplies
("really" 1.25, "somewhat" 0.5, "not" −0.5). A sentence is one clause, or two joined by "and"
(same sign; the mean of both) or by "but" (opposite signs; one third of the first, two thirds of
the second), between neutral filler. Sentiment is standardised to variance 1 by enumerating all of
it; its mean is 0, because signs are mirrored.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from amb.data.demo import lexicon

Key = TypeVar("Key")

# Probability of each choice.
GRADES = {1: 0.2, 2: 0.4, 3: 0.4}
MODIFIERS = {"plain": 0.4, "intensified": 0.25, "downtoned": 0.15, "negated": 0.2}
JOINS = {"": 0.55, "and": 0.3, "but": 0.15}
KINDS = {"adjective": 0.75, "verb": 0.25}
# What a modifier multiplies a sentiment word's grade by.
FACTORS = {"plain": 1.0, "intensified": 1.25, "downtoned": 0.5, "negated": -0.5}
CLOSING_PROBABILITY = 0.5


@dataclass(frozen=True)
class Sentence:
    """A sentence and what it says.

    Attributes:
        words: Its words, lower case, without punctuation.
        sentiment_positions: Where its sentiment words stand, one a clause.
        sentiment: s, standardised.
    """

    words: tuple[str, ...]
    sentiment_positions: tuple[int, ...]
    sentiment: float


@cache
def sentiment_distribution() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return all values of s and their probabilities, by exact enumeration.

    Returns:
        The distinct values, ascending (M,), mean 0 and variance 1, and their probabilities (M,).
    """
    values, probabilities = _raw_distribution()
    return values / np.sqrt(np.sum(probabilities * values**2)), probabilities


@cache
def _raw_distribution() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    sizes = [
        (grade * abs(FACTORS[modifier]), chance * MODIFIERS[modifier])
        for (grade, chance), modifier in itertools.product(GRADES.items(), MODIFIERS)
    ]
    weights: dict[float, float] = {}
    for sign, (join, chance) in itertools.product((+1, -1), JOINS.items()):
        for (first, p_first), (second, p_second) in itertools.product(sizes, sizes):
            value = round(_combine(join, sign * first, _second_sign(join, sign) * second), 9)
            weights[value] = weights.get(value, 0.0) + 0.5 * chance * p_first * p_second
    values = sorted(weights)
    return np.array(values), np.array([weights[value] for value in values])


def _combine(join: str, first: float, second: float) -> float:
    return {"": first, "and": (first + second) / 2, "but": (first + 2 * second) / 3}[join]


def _second_sign(join: str, sign: int) -> int:
    return -sign if join == "but" else sign


@cache
def _raw_deviation() -> float:
    values, probabilities = _raw_distribution()
    return float(np.sqrt(np.sum(probabilities * values**2)))


def sample_sentence(topic: str, rng: np.random.Generator) -> Sentence:
    """Write one sentence about a topic.

    Args:
        topic: A key of ``lexicon.TOPICS``.
        rng: Source of randomness.

    Returns:
        The sentence, 5 to 25 words.
    """
    join = _choose(JOINS, rng)
    sign = 1 if rng.random() < 0.5 else -1
    words = _pick(lexicon.OPENINGS, rng).format(topic=topic).split()
    frames: tuple[str, ...] = lexicon.ADJECTIVE_FRAMES
    positions: list[int] = []
    values: list[float] = []
    for clause_sign in (sign,) if not join else (sign, _second_sign(join, sign)):
        if positions:
            words.append(join)
            frames = lexicon.JOINED_FRAMES
        clause, position, value = _sample_clause(clause_sign, topic, frames, rng)
        positions.append(len(words) + position)
        values.append(value)
        words += clause
    if not join and rng.random() < CLOSING_PROBABILITY:
        words += _pick(lexicon.CLOSINGS, rng).format(topic=topic).split()
    sentiment = _combine(join, values[0], values[-1]) / _raw_deviation()
    return Sentence(tuple(words), tuple(positions), sentiment)


def _sample_clause(
    sign: int, topic: str, frames: tuple[str, ...], rng: np.random.Generator
) -> tuple[list[str], int, float]:
    """Return a clause of the given sign: its words, where its sentiment word is, its value."""
    kind, modifier, grade = _choose(KINDS, rng), _choose(MODIFIERS, rng), _choose(GRADES, rng)
    value = sign * grade * abs(FACTORS[modifier])
    signed_grade = -sign * grade if FACTORS[modifier] < 0 else sign * grade
    part = _pick(lexicon.TOPICS[topic], rng)
    if kind == "adjective":
        words = _pick(frames, rng).format(part=part).split()
        words += _modifier_words(kind, modifier, rng)
        return [*words, _pick(lexicon.ADJECTIVES[signed_grade], rng)], len(words), value
    past, base = _pick(lexicon.VERBS[signed_grade], rng)
    words = ["i", *_modifier_words(kind, modifier, rng)]
    verb = base if modifier == "negated" else past
    return [*words, verb, "the", part], len(words), value


def _modifier_words(kind: str, modifier: str, rng: np.random.Generator) -> list[str]:
    if modifier == "intensified":
        return [_pick(lexicon.INTENSIFIERS[kind], rng)]
    if modifier == "downtoned":
        return [_pick(lexicon.DOWNTONERS[kind], rng)]
    if modifier == "negated":
        return ["not"] if kind == "adjective" else ["did", "not"]
    return []


def _choose(probabilities: Mapping[Key, float], rng: np.random.Generator) -> Key:
    """Draw a key by inverting the cumulative probabilities at one uniform number."""
    uniform = rng.random()
    for key, probability in probabilities.items():
        uniform -= probability
        if uniform < 0:
            return key
    return key


def _pick(items: tuple[Key, ...], rng: np.random.Generator) -> Key:
    return items[int(rng.random() * len(items))]
