"""The demo data set: every utterance drawn from streams of its own.

Nothing here depends on how many videos a split has, so a longer demo contains the shorter one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from amb.data.dataset import SPLITS, UTTERANCE_COLUMNS
from amb.data.demo.lexicon import TOPICS
from amb.data.demo.sentences import Sentence, sample_sentence
from amb.data.demo.settings import HALF_WIDTH, Coefficients, DemoSettings
from amb.data.demo.signals import DIMENSIONS, audio_frames, nuisances, visual_frames
from amb.data.demo.streams import quantised, stream
from amb.data.ragged import Array, Ragged

LABEL_STEPS = 2**12
SHARED_SPEAKER = 0.3  # probability that videos 2k and 2k + 1 have one speaker

Generated = tuple[pd.DataFrame, dict[str, Ragged], pd.DataFrame, pd.DataFrame]


def generate(settings: DemoSettings) -> Generated:
    """Draw the demo data set.

    Args:
        settings: Seed, sizes, shares of variance and feature noise.

    Returns:
        Utterances (the store's columns), features (audio (L, 12) and visual (L, 8), one frame a
        word), labels (id, label), and the truth behind each label (id, s, z, e_a, e_v, epsilon,
        sentiment_positions). All four are in the same order. The truth belongs in no store.
    """
    coefficients = settings.coefficients()
    rows = [
        {**utterance, **frames, **truth, "label": _label(truth, coefficients)}
        for split in SPLITS
        for video in range(settings.videos[split])
        for utterance, frames, truth in _video(settings, coefficients.sarcasm, split, video)
    ]
    table = pd.DataFrame([{k: v for k, v in row.items() if k not in DIMENSIONS} for row in rows])
    features = {
        modality: Ragged.from_sequences([row[modality] for row in rows]) for modality in DIMENSIONS
    }
    labels = pd.DataFrame(
        {"id": table["id"], "label": quantised(table["label"].to_numpy(), LABEL_STEPS)}
    )
    truth_columns = ["id", "s", "z", "e_a", "e_v", "epsilon", "sentiment_positions"]
    return table[list(UTTERANCE_COLUMNS)], features, labels, table[truth_columns]


def _label(truth: dict[str, Any], of: Coefficients) -> float:
    return of.scale * float(
        of.sentiment * truth["s"] * truth["z"]
        + of.audio * truth["e_a"]
        + of.visual * truth["e_v"]
        + of.noise * truth["epsilon"]
    )


def _video(
    settings: DemoSettings, sarcasm: float, split: str, video: int
) -> Iterator[tuple[dict[str, Any], dict[str, Array], dict[str, Any]]]:
    """Yield the utterance, the frames and the truth of each utterance of one video."""
    seed = settings.seed
    name = f"demo_{split}_{video:03d}"
    rng = stream(seed, split, video, "video")
    topic = tuple(TOPICS)[int(rng.random() * len(TOPICS))]
    # What a speaker does throughout a video: a quarter of the variance of emphasis.
    habits = {name: HALF_WIDTH * (rng.random() - 0.5) for name in ("e_a", "e_v")}
    speaker = _speaker(seed, split, video)
    background = {m: nuisances(seed, split, speaker, video, m) for m in DIMENSIONS}
    for clip in range(settings.utterances_per_video):
        sentence = sample_sentence(topic, stream(seed, split, video, clip, "words"))
        truth = _expression(stream(seed, split, video, clip, "expression"), habits, sarcasm)
        noise_rng = stream(seed, split, video, clip, "noise")
        noise = {
            m: settings.feature_noise * noise_rng.standard_normal((len(sentence.words), d))
            for m, d in DIMENSIONS.items()
        }
        frames = {
            "audio": audio_frames(
                sentence, truth["e_a"], background["audio"], seed, noise["audio"]
            ),
            "visual": visual_frames(
                sentence, truth["e_v"], truth["z"], background["visual"], seed, noise["visual"]
            ),
        }
        truth |= {"s": sentence.sentiment, "sentiment_positions": sentence.sentiment_positions}
        yield _utterance(name, clip, f"demo_{split}_s{speaker:03d}", split, sentence), frames, truth


def _speaker(seed: int, split: str, video: int) -> int:
    """Return a video's speaker: that of its even neighbour, or its own."""
    even = video - video % 2
    shared = stream(seed, split, "pair", even).random() < SHARED_SPEAKER
    return even if shared else video


def _expression(
    rng: np.random.Generator, habits: dict[str, float], sarcasm: float
) -> dict[str, Any]:
    """Draw z, e_a, e_v and ε of one utterance.

    Emphasis is the video's habit, uniform on ±√3/2, plus or minus √3/2: uniform on ±√3.
    """
    uniforms = rng.random(4)
    signs = np.where(uniforms < 0.5, -1.0, 1.0)
    return {
        "z": -1.0 if uniforms[0] < sarcasm else 1.0,
        "e_a": habits["e_a"] + signs[1] * HALF_WIDTH / 2,
        "e_v": habits["e_v"] + signs[2] * HALF_WIDTH / 2,
        "epsilon": HALF_WIDTH * (2 * uniforms[3] - 1),
    }


def _utterance(
    video: str, clip: int, speaker: str, split: str, sentence: Sentence
) -> dict[str, Any]:
    return {
        "id": f"{video}[{clip}]",
        "video": video,
        "clip": str(clip),
        "speaker": speaker,
        "split": split,
        "text": " ".join(sentence.words),
        "words": list(sentence.words),
    }
