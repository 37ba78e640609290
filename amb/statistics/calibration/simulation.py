"""Predictions of two methods that are equally good, with crossed seed, video and item effects.

Run s of method m predicts for utterance i of video v

    p = β y_i + o_v + d_msv + τ exp(λ_msv) (√.5 e_i + √.25 e_mi + √.25 e_msi)
    d_msv, λ_msv: each  seed_ms + video_mv + cell_msv

with independent Gaussian effects. o_v and e_i are shared by the methods (a speaker who is off for
everybody, an utterance that is hard for everybody); β, τ make a MAE of about 0.86 and a Corr of
0.77, as models of CMU-MOSI have. Labels are drawn anew with their videos, multiples of 0.2 in ±3.

How the null is made true, for every metric at once and for both forms of contrast:

- *population*: both methods' effects have the same law and are independent. A and B have one
  expectation, whatever the metric.
- *fixed set*: the test set consists of twin videos with the same labels and shared effects, and
  B has on a video the own effects that A has on its twin. So the methods differ on every video, and
  yet over seeds alone the metrics of A and of B on the whole test set have the same distribution.
  Every replicate draws a test set, then its seeds: the rate is the average over test sets of rates
  that are conditional on one.

Notation: ``R`` replicates, ``S`` seeds, ``N`` utterances, ``G`` videos.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amb.evaluation.metrics import Floats
from amb.statistics.calibration.cells import Components, Layout, Scenario, video_layout

SLOPE, NOISE = 0.75, 1.0  # β, τ
SHARED, OWN, RUN = 0.5, 0.25, 0.25  # what of the noise's variance is whose
LABEL_MEAN, LABEL_VIDEO, LABEL_ITEM = 0.2, 0.6, 1.45
SPEAKER = 0.2  # standard deviation of o


@dataclass(frozen=True)
class Simulated:
    """Predictions of two methods on the same utterances; those of a video stand together.

    Attributes:
        labels: (R, N).
        a: (R, S, N) predictions of one method.
        b: (R, S, N) predictions of the other.
    """

    labels: Floats
    a: Floats
    b: Floats


@dataclass(frozen=True)
class _Own:
    """What a method has of its own in all its runs: video effects (2, R, G), item noise (R, N)."""

    video: Floats
    item: Floats


def simulate(
    scenario: Scenario, replicates: int, seeds: int, rng: np.random.Generator
) -> Simulated:
    """Draw predictions under the scenario's null.

    Args:
        scenario: Sizes, variance components and null.
        replicates: Number of independent replicates R.
        seeds: Runs a method, S.
        rng: Source of all randomness.

    Returns:
        The predictions.
    """
    layout = video_layout(scenario.items, scenario.videos)
    fixed = scenario.null == "fixed_set"
    labels = _labels(layout, replicates, rng)
    speaker = SPEAKER * rng.standard_normal((replicates, scenario.videos))
    shared = np.sqrt(SHARED) * rng.standard_normal((replicates, scenario.items))
    if fixed:
        _make_twins_alike(layout, labels, speaker, shared)
    base = SLOPE * labels + speaker[:, layout.video_of_item]
    own_a = _own(scenario, replicates, rng)
    own_b = _on_twins(layout, own_a) if fixed else _own(scenario, replicates, rng)
    a, b = (
        _predict(base, shared, own, scenario.components, layout, seeds, rng)
        for own in (own_a, own_b)
    )
    return Simulated(labels, a, b)


def _labels(layout: Layout, replicates: int, rng: np.random.Generator) -> Floats:
    video = LABEL_VIDEO * rng.standard_normal((replicates, layout.sizes.size))
    item = LABEL_ITEM * rng.standard_normal((replicates, layout.video_of_item.size))
    raw = LABEL_MEAN + video[:, layout.video_of_item] + item
    return np.asarray(np.rint(np.clip(raw, -3, 3) * 5) / 5)


def _make_twins_alike(layout: Layout, labels: Floats, speaker: Floats, shared: Floats) -> None:
    """Copy, in place, what the methods share from the first twin of every pair to the second."""
    half = int(layout.sizes[: layout.pairs].sum())
    for values, first in ((labels, half), (shared, half), (speaker, layout.pairs)):
        values[:, first : 2 * first] = values[:, :first]


def _own(scenario: Scenario, replicates: int, rng: np.random.Generator) -> _Own:
    video = rng.standard_normal((2, replicates, scenario.videos))
    item = rng.standard_normal((replicates, scenario.items))
    return _Own(scenario.components.video * video, np.sqrt(OWN) * item)


def _on_twins(layout: Layout, own: _Own) -> _Own:
    return _Own(own.video[..., layout.twin_videos()], own.item[:, layout.twin_items()])


def _predict(
    base: Floats,
    shared: Floats,
    own: _Own,
    components: Components,
    layout: Layout,
    seeds: int,
    rng: np.random.Generator,
) -> Floats:
    """Return the predictions of one method's runs, (R, S, N)."""
    R, G = own.video.shape[1:]
    seed = components.seed * rng.standard_normal((2, R, seeds, 1))
    cell = components.cell * rng.standard_normal((2, R, seeds, G))
    offset, log_scale = seed + cell + own.video[:, :, None, :]  # each (R, S, G)
    p = rng.standard_normal((R, seeds, shared.shape[1]))  # (R, S, N), filled in place
    p *= np.sqrt(RUN)
    p += (shared + own.item)[:, None, :]
    p *= (NOISE * np.exp(log_scale))[..., layout.video_of_item]
    p += offset[..., layout.video_of_item]
    p += base[:, None, :]
    return p
