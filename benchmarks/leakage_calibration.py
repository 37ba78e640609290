"""Measure how often the leakage alarm is raised, on simulated features.

    python -m benchmarks.leakage_calibration

prints two Markdown tables in about eight minutes on two cores: false alarms where honest features
differ in strength between videos, and alarms where labels leaked into a share of the videos. In
video v the first of ``FEATURES`` features correlates with the label at r_v; artanh r_v is normal
about the mean strength with standard deviation tau, and r_v is ``LEAK`` in a leaky video. Videos
differ in the mean of labels and features, and have 8 to 40 utterances.
"""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ProcessPoolExecutor

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt

from amb.data.leakage import ALPHA, LeakageReport, probe_leakage

Floats = npt.NDArray[np.float64]

DATA_SETS = 200
PERMUTATIONS = 200
FEATURES = 8
LEAK = 0.75
VIDEO_SD = 0.5
SHARES = (0.6, 0.1, 0.3)
SPLITS = np.array(["train", "valid", "test"])

TAUS, VIDEOS, STRENGTHS = (0.0, 0.13, 0.2), (20, 93, 300), (0.05, 0.5)
LEAK_SHARES, WHERE = (0.1, 0.3, 0.6), ("all", "test")
LEAK_TAU, LEAK_VIDEOS = 0.13, 93


def simulate(strength: Floats, rng: np.random.Generator) -> LeakageReport:
    """Test features whose correlation with the labels is ``strength`` (G,), a number a video."""
    G = len(strength)
    video = np.repeat(np.arange(G), rng.integers(8, 41, G))
    within = rng.standard_normal(len(video))
    features = rng.standard_normal((len(video), FEATURES))
    r = strength[video]
    features[:, 0] = r * within + np.sqrt(1 - r**2) * features[:, 0]
    features += VIDEO_SD * rng.standard_normal((G, FEATURES))[video]
    labels = within + VIDEO_SD * rng.standard_normal(G)[video]
    return probe_leakage(features, labels, video, splits_of(G)[video], rng, PERMUTATIONS)


def splits_of(G: int) -> npt.NDArray[np.str_]:
    """Return the split of each of G videos, in order (G,)."""
    edges = np.rint(np.cumsum(SHARES) * G)[:-1]
    return SPLITS[np.searchsorted(edges, np.arange(G), side="right")]


def honest(mean: float, tau: float, G: int, rng: np.random.Generator) -> Floats:
    """Draw the correlation of each video (G,)."""
    return np.asarray(np.tanh(np.arctanh(mean) + tau * rng.standard_normal(G)))


def honest_cell(tau: float, G: int, mean: float) -> list[LeakageReport]:
    """Return the reports of honest data sets."""
    rng = np.random.default_rng([1, round(100 * tau), G, round(100 * mean)])
    return [simulate(honest(mean, tau, G, rng), rng) for _ in range(DATA_SETS)]


def leaky_cell(share: float, where: str, mean: float) -> list[LeakageReport]:
    """Return the reports of data sets with a leak into a share of all or of the test videos."""
    rng = np.random.default_rng([2, round(100 * share), WHERE.index(where), round(100 * mean)])
    reports = []
    for _ in range(DATA_SETS):
        strength = honest(mean, LEAK_TAU, LEAK_VIDEOS, rng)
        reach = np.flatnonzero((splits_of(LEAK_VIDEOS) == "test") | (where == "all"))
        strength[rng.choice(reach, round(share * len(reach)), replace=False)] = LEAK
        reports.append(simulate(strength, rng))
    return reports


def rates(reports: list[LeakageReport]) -> str:
    """Return the table cells: alarms of either test and of each, and the mean τ found."""
    split = np.mean([r.split is not None and r.split.p <= ALPHA for r in reports])
    mixture = np.mean([r.mixture is not None and r.mixture.p <= ALPHA for r in reports])
    alarm = np.mean([r.alarm for r in reports])
    taus = [r.mixture.tau for r in reports if r.mixture is not None]
    found = f"{np.mean(taus):.2f}" if taus else "–"
    return f"{alarm:.1%} | {split:.1%} | {mixture:.1%} | {found}"


def main() -> None:
    """Print both tables."""
    honest_cells = list(itertools.product(TAUS, VIDEOS, STRENGTHS))
    leaky_cells = list(itertools.product(LEAK_SHARES, WHERE, STRENGTHS))
    with ProcessPoolExecutor(2) as pool:
        false = [pool.submit(honest_cell, *cell) for cell in honest_cells]
        found = [pool.submit(leaky_cell, *cell) for cell in leaky_cells]
        print("| tau | videos | mean corr | false alarms | split test | mixture test | mean tau |")
        print("|---:" * 7 + "|")
        for (tau, G, mean), cell in zip(honest_cells, false, strict=True):
            print(f"| {tau} | {G} | {mean} | {rates(cell.result())} |", flush=True)
        print(
            "\n| leaky | of videos | honest corr | alarms | split test | mixture test | mean tau |"
        )
        print("|---:" * 7 + "|")
        for (share, where, mean), cell in zip(leaky_cells, found, strict=True):
            print(f"| {share:.0%} | {where} | {mean} | {rates(cell.result())} |", flush=True)


if __name__ == "__main__":
    main()
