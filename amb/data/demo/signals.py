"""Word-aligned audio and visual frames that carry what the words do not say.

A frame is a fixed mixture of a few signals plus white noise. Audio: vocal emphasis e_a, at content
words. Visual: facial emphasis e_v at content words, and sarcasm z at sentiment words. Nuisances,
constant within a video, stand for the speaker and the recording.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from amb.data.demo.lexicon import FUNCTION_WORDS
from amb.data.demo.sentences import Sentence
from amb.data.demo.streams import quantised, stream
from amb.data.ragged import Array

Float64 = npt.NDArray[np.float64]

DIMENSIONS = {"audio": 12, "visual": 8}
SIGNALS = {"audio": 1, "visual": 2}
NUISANCES = 4  # two of the speaker, two of the video
FRAME_STEPS = 2**10


@cache
def mixing(seed: int, modality: str) -> Float64:
    """Return the directions (signals + nuisances, d) that frames of a modality mix.

    They are orthogonal and random, with entries of order 1: a linear probe can tell the signals
    from the nuisances, though no single feature does.
    """
    dimension = DIMENSIONS[modality]
    rng = stream(seed, "mixing", modality)
    directions: list[Float64] = []
    for _ in range(SIGNALS[modality] + NUISANCES):
        direction = rng.standard_normal(dimension)
        for other in directions:
            direction = direction - other * (np.sum(direction * other) / dimension)
        directions.append(direction * np.sqrt(dimension / np.sum(direction**2)))
    return np.stack(directions)


def nuisances(seed: int, split: str, speaker: int, video: int, modality: str) -> Float64:
    """Return the nuisance amplitudes of a video (4,): two of its speaker, two of its own."""
    of_speaker = stream(seed, split, "speaker", speaker, modality).standard_normal(2)
    of_video = stream(seed, split, video, "recording", modality).standard_normal(2)
    return np.concatenate([of_speaker, of_video])


def audio_frames(
    sentence: Sentence, emphasis: float, background: Float64, seed: int, noise: Float64
) -> Array:
    """Return the audio of a sentence, one frame a word.

    Args:
        sentence: The sentence, L words.
        emphasis: e_a.
        background: Nuisance amplitudes of the video (4,).
        seed: The demo's seed, which fixes the mixture.
        noise: Noise to add (L, 12).

    Returns:
        Frames (L, 12), float32.
    """
    signals = (emphasis * content_words(sentence))[:, None]  # (L, 1)
    return _frames(signals, background, mixing(seed, "audio"), noise)


def visual_frames(
    sentence: Sentence,
    emphasis: float,
    sarcasm: float,
    background: Float64,
    seed: int,
    noise: Float64,
) -> Array:
    """Return the face of a sentence's speaker, one frame a word.

    Args:
        sentence: The sentence, L words.
        emphasis: e_v.
        sarcasm: z, +1 or −1.
        background: Nuisance amplitudes of the video (4,).
        seed: The demo's seed, which fixes the mixture.
        noise: Noise to add (L, 8).

    Returns:
        Frames (L, 8), float32.
    """
    at_sentiment = np.zeros(len(sentence.words))
    at_sentiment[list(sentence.sentiment_positions)] = 1.0
    signals = np.stack([emphasis * content_words(sentence), sarcasm * at_sentiment], axis=1)
    return _frames(signals, background, mixing(seed, "visual"), noise)


def content_words(sentence: Sentence) -> Float64:
    """Return 1 at content words and 0 at function words (L,)."""
    return np.array([float(word not in FUNCTION_WORDS) for word in sentence.words])


def _frames(signals: Float64, background: Float64, directions: Float64, noise: Float64) -> Array:
    """Mix signals (L, S) and nuisances (4,) by directions (S + 4, d) and add noise (L, d)."""
    amplitudes = np.concatenate(
        [signals, np.broadcast_to(background, (len(signals), len(background)))], axis=1
    )
    # (L, S + 4, 1) * (S + 4, d), summed by NumPy rather than by a machine's own BLAS
    mixed = (amplitudes[:, :, None] * directions[None]).sum(axis=1)
    return quantised(mixed + noise, FRAME_STEPS)
