"""Simulated predictions with seed, video and item effects, as the prediction files hold them."""

import gc

import numpy as np
import pandas as pd
import pytest

from amb.evaluation.predictions import PREDICTION_COLUMNS


def simulate(methods, videos=8, clips=5, seed=0, seed_spread=0.1):
    """Return predictions of ``{method: (first seed, number of seeds, noise)}`` on valid and test.

    Rows come in random order; videos differ in how many utterances they have. Labels and what is
    common to all methods depend on ``seed`` alone, so that methods can be added without effect.
    """
    frames = []
    for split in ("valid", "test"):
        data = np.random.default_rng([seed, len(split)])
        sizes = data.integers(1, 2 * clips, videos)
        video = np.repeat([f"{split}{v:03d}" for v in range(videos)], sizes)
        label = np.round(data.normal(0, 1.5, video.size) * 5) / 5
        for place, (method, (first, count, noise)) in enumerate(methods.items()):
            rng = np.random.default_rng([seed, len(split), place])
            hard = rng.normal(0, 0.3, videos).repeat(sizes)
            for run in range(first, first + count):
                bias = rng.normal(0, seed_spread)
                guess = label + bias + hard + rng.normal(0, noise, video.size)
                frame = pd.DataFrame(
                    {
                        "method": method,
                        "seed": run,
                        "split": split,
                        "corruption": "none",
                        "utterance": [f"{name}_{i}" for i, name in enumerate(video)],
                        "video": video,
                        "label": label.astype(np.float32),
                        "prediction": guess.astype(np.float32),
                    }
                )
                frames.append(frame[list(PREDICTION_COLUMNS)])
    return pd.concat(frames).sample(frac=1, random_state=seed, ignore_index=True)


@pytest.fixture(name="simulate", scope="session")
def simulate_fixture():
    return simulate


@pytest.fixture
def frozen_heap():
    """Make gc.collect cheap: statsmodels calls it on every correction, and some tests do many."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def predictions():
    """Three methods with different seeds and numbers of seeds."""
    return simulate(
        {"zeta": (5, 4, 0.7), "amb": (11, 5, 0.5), "late": (3, 3, 1.3)}, seed_spread=0.03
    )
