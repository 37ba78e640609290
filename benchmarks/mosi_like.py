"""Generated data in the shape of CMU-MOSI, in MMSA's layout, so that its models and ours read it.

Texts are random words of the backbone's vocabulary, one word-piece each; audio and visual features
are noise, one frame a word-piece. What they say is nothing: they are for timing.
"""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path

import numpy as np
import yaml

from amb.cli import main as amb
from amb.files import atomic_path, write_text
from amb.training.job import Job

AUDIO_FEATURES, VISUAL_FEATURES = 74, 35  # COVAREP and FACET, as the SDK has them
SPREAD = 2.5  # shape of the gamma distribution of lengths: some texts are several times the mean


def write_pickle(
    file: Path, backbone: Path, sizes: dict[str, int], mean_pieces: float, longest: int
) -> float:
    """Write a pickle in MMSA's aligned layout.

    Args:
        file: The pickle to write.
        backbone: A prepared backbone, for its vocabulary.
        sizes: Number of utterances of each split.
        mean_pieces: Mean length of a text in word-pieces, [CLS] and [SEP] included, before the cut.
        longest: Longest text; arrays are padded to it.

    Returns:
        The mean length that came out.
    """
    vocabulary = json.loads((backbone / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    pieces: dict[str, int] = vocabulary["vocab"]
    words = sorted(word for word in pieces if re.fullmatch(r"[a-z]{3,}", word))
    rng = np.random.default_rng(0)
    content, counts = {}, []
    for split, size in sizes.items():
        drawn = rng.gamma(SPREAD, (mean_pieces - 2) / SPREAD, size).round().astype(int)
        lengths = drawn.clip(1, longest - 2) + 2
        texts = [list(rng.choice(words, length - 2)) for length in lengths]
        content[split] = {
            "id": [f"{split}{row // 20:05d}$_${row % 20}" for row in range(size)],
            "raw_text": [" ".join(text) for text in texts],
            "text_bert": _text_arrays(texts, pieces, longest),
            "audio": _frames(rng, lengths, longest, AUDIO_FEATURES),
            "vision": _frames(rng, lengths, longest, VISUAL_FEATURES),
            "regression_labels": rng.uniform(-3, 3, size).astype(np.float32),
            "annotations": ["Neutral"] * size,
        }
        counts.append(lengths)
    with atomic_path(file) as temporary:
        temporary.write_bytes(pickle.dumps(content, protocol=4))
    return float(np.concatenate(counts).mean())


def prepare(
    folder: Path,
    backbone: str,
    methods: dict[str, dict],
    sizes: dict[str, int],
    mean_pieces: float,
    longest: int,
) -> float:
    """Prepare a study of generated data: ``study.yaml``, ``data.pkl``, ``store``, ``backbone``.

    Args:
        folder: Where to.
        backbone: Name of the backbone, or a local folder.
        methods: Rows of the study.
        sizes: Number of utterances of each split.
        mean_pieces: See ``write_pickle``.
        longest: See ``write_pickle``.

    Returns:
        The mean length of the texts in word-pieces.
    """
    mmsa = {"dataset": "other", "file": "data.pkl", "modalities": ["audio", "visual"]}
    study = {
        "schema": 1,
        "name": "mosi_like",
        "data": {"reader": "mmsa", "max_pieces": longest, "mmsa": mmsa},
        "backbone": {"name": backbone},
        "methods": methods,
        "seeds": {"first": 1111, "count": 1},
        "training": {"max_epochs": 1, "batch_size": 32},
        "statistics": {"reference": next(iter(methods))},
    }
    file = folder / "study.yaml"
    write_text(file, yaml.safe_dump(study, sort_keys=False))
    run_amb("backbone", "--study", file, "--out", folder / "backbone")
    mean = write_pickle(folder / "data.pkl", folder / "backbone", sizes, mean_pieces, longest)
    run_amb("data", "prepare", "--study", file, "--out", folder / "store", "--data-root", folder)
    return mean


def job_of(folder: Path, row: str, device: str = "cpu") -> Job:
    """Return the job of a row of what ``prepare`` made.

    Args:
        folder: Where it was made.
        row: The row.
        device: ``cpu`` or ``cuda``.

    Returns:
        The job.
    """
    parts = [folder / part for part in ("study.yaml", "store", "backbone")]
    return Job(*parts, row, folder / "runs", device)


def run_amb(*arguments: object) -> None:
    """Run one command of ``amb`` in this process; stop if it fails."""
    if amb([str(argument) for argument in arguments]) != 0:
        raise SystemExit(f"amb {arguments[0]} failed")


def _text_arrays(texts: list[list[str]], pieces: dict[str, int], longest: int) -> np.ndarray:
    """Return ids, mask and segments of texts: (N, 3, longest) float32, as MMSA stores them."""
    arrays = np.zeros((len(texts), 3, longest), dtype=np.float32)
    for row, text in enumerate(texts):
        ids = [pieces["[CLS]"], *(pieces[word] for word in text), pieces["[SEP]"]]
        arrays[row, 0, : len(ids)] = ids
        arrays[row, 1, : len(ids)] = 1
    return arrays


def _frames(
    rng: np.random.Generator, lengths: np.ndarray, longest: int, features: int
) -> np.ndarray:
    """Return noise (N, longest, features) float32, zeros after each length."""
    values = rng.standard_normal((len(lengths), longest, features), dtype=np.float32)
    values[np.arange(longest) >= lengths[:, None]] = 0
    return values
