"""Utterances as a caller gives them: words and feature arrays, checked one by one.

Notation: T frames, d features of a frame, N utterances.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amb.data.ragged import Array
from amb.errors import InputError
from amb.inference.config import FeatureConfig, ModelConfig


@dataclass(frozen=True, eq=False)
class Utterance:
    """What one utterance says, and what is heard and seen of it.

    Attributes:
        words: Its words; or give ``text``, which is split at white space.
        text: Its text, where ``words`` are not given.
        audio: (T, d) audio features, unscaled, as the training data had them.
        visual: (T, d) visual features, likewise.
        text_states: (T, d) precomputed token states, for models that read these.
        video: Name of its video, for models whose features are scaled by video.
    """

    words: Sequence[str] | None = None
    text: str | None = None
    audio: npt.ArrayLike | None = None
    visual: npt.ArrayLike | None = None
    text_states: npt.ArrayLike | None = None
    video: str | None = None


@dataclass(frozen=True, eq=False)
class CheckedUtterances:
    """N utterances that fit a model.

    Attributes:
        words: Of each utterance; no words where the model's data had no text.
        features: Sequences (T, d) float32 by modality, only those that the model reads.
        videos: Name of the video of each utterance, None where not given.
    """

    words: list[list[str]]
    features: dict[str, list[Array]]
    videos: list[str | None]


def check_utterances(utterances: Sequence[Utterance], config: ModelConfig) -> CheckedUtterances:
    """Check that utterances are what a model was trained on.

    Args:
        utterances: The N utterances.
        config: The model's configuration.

    Returns:
        Their words and sequences.

    Raises:
        InputError: One does not fit; the message has its index, the field, what was found and what
            was expected.
    """
    words = []
    features: dict[str, list[Array]] = {m: [] for m in config.read_features}
    for index, utterance in enumerate(utterances):
        where = f"utterance {index}"
        if not isinstance(utterance, Utterance):
            raise InputError(where, "type", type(utterance).__name__, "an Utterance")
        words.append(_words(utterance, config.has_text, where))
        for modality, arrays in _features(utterance, config, words[-1], where).items():
            features[modality].append(arrays)
        if config.normalisation == "per_video" and features and utterance.video is None:
            expected = "the name of its video, whose frames scale its features"
            hint = "Give all utterances of a video in one call"
            raise InputError(where, "video", None, expected, hint)
    return CheckedUtterances(words, features, [utterance.video for utterance in utterances])


def _words(utterance: Utterance, has_text: bool, where: str) -> list[str]:
    given = [name for name in ("words", "text") if getattr(utterance, name) is not None]
    if not has_text:
        if given:
            raise InputError(where, given[0], getattr(utterance, given[0]), "None: no text")
        return []
    if len(given) != 1:
        raise InputError(where, "words, text", given or "neither", "one of the two")
    found = utterance.text if given == ["text"] else utterance.words
    if given == ["text"]:
        words = found.split() if isinstance(found, str) else []
    else:
        words = [] if isinstance(found, str) else list(found or [])
    if not words or not all(isinstance(word, str) and word.strip() for word in words):
        expected = "text with at least one word" if given == ["text"] else "a list of words"
        raise InputError(where, given[0], found, expected)
    return words


def _features(
    utterance: Utterance, config: ModelConfig, words: list[str], where: str
) -> Mapping[str, Array]:
    """Return what the model reads; features that its training data did not have are refused."""
    found = {}
    for modality in ("audio", "visual", "text_states"):
        given = getattr(utterance, modality)
        own = config.features.get(modality)
        if own is None and given is not None:
            expected = f"None: the model was trained without {modality}"
            raise InputError(where, modality, type(given).__name__, expected)
        if own is not None and own.read:
            found[modality] = _sequence(given, own, len(words), f"{where}: {modality}")
    return found


def _sequence(given: npt.ArrayLike | None, own: FeatureConfig, words: int, where: str) -> Array:
    """Return one sequence (T, d) as float32, if it fits."""
    wanted = f"an array (frames, {own.dimension})"
    if given is None:
        raise InputError(where, "array", None, wanted)
    try:
        array = np.asarray(given)
        numbers = array.dtype.kind in "fiu"
    except ValueError as error:  # rows of different lengths
        raise InputError(where, "array", str(error)[:100], wanted) from error
    if not numbers:
        raise InputError(where, "type", str(array.dtype), "real numbers")
    if array.ndim != 2 or array.shape[1] != own.dimension:
        raise InputError(where, "shape", array.shape, wanted)
    if own.word_aligned and len(array) != words:
        raise InputError(where, "frames", len(array), f"{words}, one a word")
    if not len(array):
        raise InputError(where, "frames", 0, "at least one")
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(array, dtype=np.float32)
    broken = np.argwhere(~np.isfinite(values))
    if len(broken):
        frame, feature = broken[0]
        place = f"frame {frame}, feature {feature}"
        raise InputError(where, place, float(array[frame, feature]), "a finite number of float32")
    return values
