"""Kinds and targets of corruption in words."""

from __future__ import annotations

KINDS = {
    "gaussian": "Gaussian noise, {}",
    "feature_dropout": "Feature dropout, {}",
    "temporal_shuffle": "Shuffled frames, {}",
    "missing": "Missing {}",
    "token_mask": "Masked word-pieces",
    "embedding_noise": "Noise on word embeddings",
}
LEVELS = {
    "gaussian": "σ in standard deviations",
    "feature_dropout": "share of feature entries",
    "temporal_shuffle": "share of frames",
    "missing": "share of utterances",
    "token_mask": "share of word-pieces",
    "embedding_noise": "σ in rms of the embeddings",
}


def title_of(kind: str, target: str) -> str:
    """Return what is done to what: "Gaussian noise, audio and visual"."""
    return KINDS[kind].format(target.replace("+", " and "))
