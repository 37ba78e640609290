"""Time the crossed bootstrap against loops that give the same intervals.

    python -m benchmarks.crossed_bootstrap

6 metrics of 5 methods with 20 seeds each on 4,659 items of 680 videos, CMU-MOSEI's test split.
Three ways, in one run and on the same numbers:

- matrix products of counts with the moment table (``amb.statistics.crossed_bootstrap``), 10,000
  resamples;
- a NumPy loop over resamples: seeds and videos drawn, their items gathered, the metrics of this
  package computed on them; fewer resamples, and the time multiplied;
- ``scipy.stats.bootstrap`` over videos, for one metric of one method with the sums of its videos as
  the sample. It has no second axis to draw from, so it does less than the others; its time is
  multiplied to all 6 × 5 metrics and methods.

Prints a Markdown table of wall and CPU time. Wall time on a busy machine says little.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")

import numpy as np
from scipy import stats

from amb.evaluation.method_runs import MethodRuns
from amb.evaluation.metrics import METRICS
from amb.statistics.crossed_bootstrap import crossed_bootstrap_ci, resample_metrics
from amb.statistics.moments import MOMENTS, moment_table

METHODS, SEEDS, ITEMS, VIDEOS = 5, 20, 4659, 680
METRIC_NAMES = ("mae", "corr", "acc7", "acc5", "acc2_non0", "f1_non0")
RESAMPLES, LOOP_RESAMPLES, SCIPY_RESAMPLES = 10_000, 20, 1000


def generate(rng: np.random.Generator) -> list[MethodRuns]:
    """Return the runs of five methods on the same items."""
    extra = rng.integers(0, VIDEOS, ITEMS - VIDEOS)
    place = np.sort(np.concatenate([np.arange(VIDEOS), extra]))
    videos = np.array([f"v{v:04d}" for v in place], dtype=object)
    ids = np.array([f"{v}_{i}" for i, v in enumerate(videos)], dtype=object)
    labels = np.round(3 * rng.normal(0, 1, ITEMS)) / 3
    found = []
    for m in range(METHODS):
        hard = rng.normal(0, 0.2, VIDEOS)[place] + rng.normal(0, 0.02, (SEEDS, 1))
        guess = 0.6 * labels + hard + rng.normal(0, 0.6, (SEEDS, ITEMS))
        found.append(MethodRuns(f"m{m}", np.arange(SEEDS), ids, videos, labels, guess))
    return found


def loop(runs: list[MethodRuns], rng: np.random.Generator, resamples: int) -> np.ndarray:
    """Return seed-mean metrics (metrics, M, B) by gathering the items of every resample."""
    _, starts = np.unique(runs[0].videos, return_index=True)
    items = np.split(np.arange(ITEMS), starts[1:])
    values = np.empty((len(METRIC_NAMES), METHODS, resamples))
    for b in range(resamples):
        chosen = np.concatenate([items[v] for v in rng.integers(VIDEOS, size=VIDEOS)])
        labels = runs[0].labels[chosen]
        for m, own in enumerate(runs):
            guesses = own.predictions[rng.integers(SEEDS, size=SEEDS)][:, chosen]
            for k, name in enumerate(METRIC_NAMES):
                values[k, m, b] = METRICS[name](labels, guesses).mean()
    return values


def scipys(runs: list[MethodRuns], resamples: int) -> None:
    """Bootstrap one method's MAE over videos with SciPy."""
    sums = moment_table(runs[0]).values.mean(axis=0)  # (G, K)
    errors, n = sums[:, MOMENTS.index("abs_error")], sums[:, MOMENTS.index("n")]

    def mae(e: np.ndarray, k: np.ndarray, axis: int = -1) -> np.ndarray:
        return e.sum(axis=axis) / k.sum(axis=axis)

    rng = np.random.default_rng(0)
    stats.bootstrap(
        (errors, n), mae, n_resamples=resamples, paired=True, method="percentile", rng=rng
    )


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Return wall and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Check that the two crossed ways agree, then time all three."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    runs = generate(np.random.default_rng(0))
    made, table_cpu = timed(lambda: [moment_table(own) for own in runs])
    tables = [moment_table(own) for own in runs]

    def all_intervals() -> None:
        resampled = resample_metrics(tables, METRIC_NAMES, np.random.default_rng(1), RESAMPLES)
        for metric in METRIC_NAMES:
            for method in resampled.methods[1:]:
                crossed_bootstrap_ci(resampled, method, "m0", metric)

    all_intervals()  # the libraries are loaded and warm
    best = min((timed(all_intervals) for _ in range(5)), key=lambda times: times[1])
    slow = timed(lambda: loop(runs, np.random.default_rng(2), LOOP_RESAMPLES))
    theirs = timed(lambda: scipys(runs, SCIPY_RESAMPLES))
    fast = resample_metrics(tables, METRIC_NAMES, np.random.default_rng(1), 2000)
    check = loop(runs, np.random.default_rng(3), 100)
    for k, name in enumerate(METRIC_NAMES):
        ratio = check[k].std(axis=1) / fast.values[name].std(axis=1)
        print(f"{name}: standard error, loop of 100 by matrix products: {ratio.mean():.2f}")
    rows = [
        ("matrix products, 10,000 resamples", *best, 1.0),
        ("moment tables from predictions, once", made, table_cpu, 1.0),
        (f"NumPy loop, {LOOP_RESAMPLES} resamples, scaled", *slow, RESAMPLES / LOOP_RESAMPLES),
        (
            f"SciPy, videos only, one metric and method, {SCIPY_RESAMPLES} resamples, scaled",
            *theirs,
            RESAMPLES / SCIPY_RESAMPLES * len(METRIC_NAMES) * METHODS,
        ),
    ]
    print("| way | wall, s | CPU, s | × |\n|---|---:|---:|---:|")
    for name, wall, cpu, scale in rows:
        print(f"| {name} | {scale * wall:.2f} | {scale * cpu:.2f} | {scale * cpu / best[1]:.0f} |")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, NumPy {np.__version__}")


if __name__ == "__main__":
    main()
