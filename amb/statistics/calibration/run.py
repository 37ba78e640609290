"""Count rejections in every cell: blocks of replicates, scenarios over processes, one file each.

A scenario's counts are a file of ``cells/`` with what they follow from; a run that was interrupted
takes up what is finished and fits. Numbers do not depend on the number of processes: every block of
replicates has a generator of its own.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from amb.evaluation.metrics import Floats
from amb.files import read_json, write_json
from amb.provenance import source_digest
from amb.source_graph import ROOT
from amb.statistics.calibration.cells import METRICS, SEEDS, Scenario, video_layout
from amb.statistics.calibration.closed_forms import Outcomes, variance_sources
from amb.statistics.calibration.procedures import PROCEDURES
from amb.statistics.calibration.replicates import (
    MetricReplicates,
    metric_replicates,
    replicate_moments,
)
from amb.statistics.calibration.simulation import simulate

BLOCK = 1_000_000  # predictions a method in one block: some tens of megabytes
SEED = 2212
ALPHA = 0.05  # the band of ``summary`` is for this level
_SUMMED = frozenset(
    ("replicates", "undefined", "rejected", "intervals", "covered", "v_seed", "v_video", "v_cell")
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """What the numbers depend on, besides the source.

    Attributes:
        replicates: Replicates a cell.
        seed: Seed of the whole study.
        seeds: Numbers of seeds, ascending; they share draws.
    """

    replicates: int
    seed: int = SEED
    seeds: tuple[int, ...] = SEEDS


def calibrate(
    scenarios: Sequence[Scenario],
    settings: Settings,
    folder: Path,
    workers: int,
    report: Callable[[str], None] = print,
) -> list[Row]:
    """Count rejections in all cells of all scenarios.

    Args:
        scenarios: The scenarios.
        settings: Replicates and seeds.
        folder: Where finished scenarios are kept; those that fit are not done again.
        workers: Processes.
        report: Told a line whenever a scenario is done.

    Returns:
        The rows of ``scenario_rows``, in the order of ``scenarios``.
    """
    done = {scenario: _kept(folder, scenario, settings) for scenario in scenarios}
    missing = [scenario for scenario, rows in done.items() if rows is None]
    report(f"{len(scenarios) - len(missing)} of {len(scenarios)} scenarios are there already")
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(max(1, workers), context) as pool:
        futures = {pool.submit(scenario_rows, one, settings): one for one in missing}
        for count, future in enumerate(as_completed(futures), start=1):
            scenario = futures[future]
            done[scenario] = future.result()
            content = {"key": _key(settings), "rows": done[scenario]}
            write_json(folder / f"{scenario.name}.json", content)
            report(f"{count}/{len(missing)} {scenario.name}")
    return [row for scenario in scenarios for row in done[scenario] or []]


def scenario_rows(scenario: Scenario, settings: Settings) -> list[Row]:
    """Count what every test says in one scenario.

    Args:
        scenario: What is simulated.
        settings: Replicates and seeds.

    Returns:
        One row a number of seeds, metric, form and test: the cell's keys; ``replicates`` in which
        the test said anything, ``undefined`` in which it did not, ``rejected``, ``covered``
        (intervals that hold the true contrast, 0) and ``intervals``; ``v_seed``, ``v_video``,
        ``v_cell`` of the difference.
    """
    tallies: dict[tuple[object, ...], Row] = {}
    for start, block in _blocks(scenario, settings):
        for metric in METRICS:
            whole = [metric_replicates(moments, metric) for moments in block]
            for seeds in settings.seeds:
                a, b = (method.first(seeds) for method in whole)
                for row in _tests_of(a, b, metric, start):
                    row |= {"metric": metric, "seeds": seeds}
                    key = (metric, seeds, row["form"], row["test"])
                    tallies[key] = _add(tallies[key], row) if key in tallies else row
    cell = {
        "items": scenario.items,
        "videos": scenario.videos,
        "components": scenario.components.name,
        "null": scenario.null,
    }
    return [cell | row for row in tallies.values()]


def _blocks(scenario: Scenario, settings: Settings) -> Iterator[tuple[int, tuple[Floats, Floats]]]:
    """Yield the number of replicates so far, and both methods' moments of the next ones."""
    seeds = settings.seeds[-1]
    size = max(1, BLOCK // (scenario.items * seeds))
    starts = video_layout(scenario.items, scenario.videos).starts
    name = int.from_bytes(scenario.name.encode(), "big")
    for start in range(0, settings.replicates, size):
        rng = np.random.default_rng([settings.seed, start, name])
        drawn = simulate(scenario, min(size, settings.replicates - start), seeds, rng)
        a, b = (replicate_moments(drawn.labels, p, starts) for p in (drawn.a, drawn.b))
        yield start, (a, b)


def _tests_of(a: MetricReplicates, b: MetricReplicates, metric: str, start: int) -> Iterator[Row]:
    sources = variance_sources(a, b, metric)
    weight = len(a.values)  # blocks differ in size
    for procedure in PROCEDURES:
        if procedure.replicates is not None and start >= procedure.replicates:
            continue
        for form in procedure.forms:
            outcomes = procedure.outcomes(a, b, metric, form, ALPHA)
            yield {
                "form": form,
                "test": procedure.name,
                **_count(outcomes),
                **{name: value * weight for name, value in sources.items()},
            }


def _count(outcomes: Outcomes) -> Row:
    tested = outcomes.tested()
    return {
        "replicates": int(tested.sum()),
        "undefined": int((~tested).sum()),
        "rejected": int(outcomes.rejected(ALPHA).sum()),
        "intervals": int(outcomes.bounded().sum()),
        "covered": int(outcomes.covered().sum()),
    }


def _add(tally: Row, row: Row) -> Row:
    return {key: value + row[key] if key in _SUMMED else value for key, value in tally.items()}


def _key(settings: Settings) -> Row:
    return {
        "replicates": settings.replicates,
        "seed": settings.seed,
        "seeds": list(settings.seeds),
        "source": _source(),
    }


@cache
def _source() -> str:
    """Return the digest of what counts follow from: not of ``summary``, which only reads them."""
    files = sorted((ROOT / "amb/statistics").rglob("*.py"))
    counted = [str(file.relative_to(ROOT)) for file in files if file.name != "summary.py"]
    return source_digest("amb/evaluation", *counted)


def _kept(folder: Path, scenario: Scenario, settings: Settings) -> list[Row] | None:
    file = folder / f"{scenario.name}.json"
    if not file.exists():
        return None
    content: Row = read_json(file)
    rows: list[Row] = content["rows"]
    return rows if content["key"] == _key(settings) else None
