"""Profiles the training of one row: phases of a step, parts of the model, modules."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch

from amb import provenance
from amb.errors import InputError
from amb.model.precision import BF16
from amb.profiling.calls import FRAMES, REST, durations
from amb.profiling.clock import Clock, clock_of
from amb.profiling.watch import StepWatch, WatchedStep
from amb.training.job import Job
from amb.training.record import device_name
from amb.training.run import build_model, fit, open_context

WORD_PIECES = "collecting word-pieces"
PHASES = (WORD_PIECES, FRAMES, "forward", "loss", "backward", "clipping", "optimiser")


def profile_row(
    job: Job, seed: int, steps: int, warmup: int, trace: Path | None = None
) -> dict[str, Any]:
    """Train a row until enough steps have been watched.

    Args:
        job: The row and its files.
        seed: Seed of initial weights, order and dropout.
        steps: Steps to time as a whole, and then as many with hooks on every module.
        warmup: Steps before these.
        trace: File for a trace of a few further steps; None: no trace.

    Returns:
        JSON-able values: medians over steps in ms, shares of the hooked step.

    Raises:
        InputError: The row is fitted in closed form and takes no steps.
    """
    context = open_context(job)
    watch = StepWatch(clock_of(context.device), warmup, steps, trace)
    while not watch.done:
        model = build_model(job, seed)
        if not model.trains_by_gradient:
            raise InputError("method", job.method, "fitted in closed form", "a row with steps")
        with watch.on(model):
            fit(job, [model], [seed], lambda *_: None)
    training = context.study.methods[job.method].training
    data = context.splits["train"]
    pieces = float(data.token_ids.lengths.double().mean())
    return {
        "schema": 1,
        "study": context.study.name,
        "method": job.method,
        "seed": seed,
        "hardware": {"type": context.device.type, "name": device_name(context.device)},
        "threads": torch.get_num_threads(),
        "precision": BF16 if training.precision == BF16 else torch.get_float32_matmul_precision(),
        "warmup_steps": warmup,
        "steps": steps,
        "batch_size": training.batch_size,
        "steps_per_epoch": math.ceil(len(data) / training.batch_size),
        "max_epochs": training.max_epochs,
        **summarise(watch, clock_of(context.device), training.batch_size, pieces),
        "versions": provenance.versions(),
        "source": provenance.commit(),
    }


def summarise(watch: StepWatch, clock: Clock, batch_size: int, pieces: float) -> dict[str, Any]:
    """Summarise watched steps.

    Args:
        watch: What was seen.
        clock: That made its marks.
        batch_size: Utterances of a step; the last batch of an epoch has fewer.
        pieces: Mean number of word-pieces of an utterance.

    Returns:
        ``step_ms`` without hooks, ``hooked_step_ms`` with them, throughput without them, and
        ``phases``, ``parts`` and ``modules`` with them.
    """
    clock.wait()
    step_ms = median(clock.milliseconds(*marks) for marks in watch.whole)
    hooked_ms = median(clock.milliseconds(step.begin, step.end) for step in watch.watched)
    phases, parts = zip(*(split_step(step, clock) for step in watch.watched), strict=True)
    forward = median(own["forward"] for own in phases)
    return {
        "step_ms": step_ms,
        "hooked_step_ms": hooked_ms,
        "utterances_per_s": batch_size / step_ms * 1000,
        "word_pieces_per_s": batch_size * pieces / step_ms * 1000,
        "phases": _table(_medians(phases, PHASES), hooked_ms),
        "parts": _table(_medians(parts, _by_size(parts)), forward),
        "modules": _modules(watch.watched, clock),
    }


def split_step(step: WatchedStep, clock: Clock) -> tuple[dict[str, float], dict[str, float]]:
    """Split one step.

    Args:
        step: A watched step.
        clock: That made its marks.

    Returns:
        The ms of its phases, which add up to the step; of the parts of the model, which add up to
        its forward pass.
    """
    outermost = [call for call in step.calls if call.parent is None]
    start, end = outermost[0].start, outermost[-1].end
    parts: defaultdict[str, float] = defaultdict(float)
    for call, own in zip(step.calls, durations(step.calls, clock)[1], strict=True):
        parts[call.part] += own
    frames = parts.pop(FRAMES, 0.0)
    whole = clock.milliseconds(start, end) - frames
    parts[REST] += whole - sum(parts.values())  # between outermost calls
    phases = {
        WORD_PIECES: clock.milliseconds(step.begin, start),
        FRAMES: frames,
        "forward": whole,
        "loss": clock.milliseconds(end, step.first_gradient),
        "backward": clock.milliseconds(step.first_gradient, step.last_gradient),
        "clipping": clock.milliseconds(step.last_gradient, step.optimiser),
        "optimiser": clock.milliseconds(step.optimiser, step.end),
    }
    return phases, dict(parts)


def _modules(steps: Sequence[WatchedStep], clock: Clock) -> list[dict[str, Any]]:
    """Return one row a module, the same module of all layers as one: the longest first."""
    inclusive: list[dict[str, float]] = []
    exclusive: list[dict[str, float]] = []
    for step in steps:
        times: tuple[defaultdict[str, float], ...] = defaultdict(float), defaultdict(float)
        for call, *own in zip(step.calls, *durations(step.calls, clock), strict=True):
            for total, value in zip(times, own, strict=True):
                total[_merged_name(call.name)] += value
        inclusive.append(dict(times[0]))
        exclusive.append(dict(times[1]))
    names = _by_size(exclusive)
    calls = Counter(_merged_name(call.name) for call in steps[-1].calls)
    with_children = _medians(inclusive, names)
    return [
        {
            "name": name,
            "calls": calls[name],
            "inclusive_ms": with_children[name],
            "exclusive_ms": own,
        }
        for name, own in _medians(exclusive, names).items()
    ]


def _merged_name(name: str) -> str:
    """Return a module's name with ``*`` for the numbers of layers: ``layer.3`` is ``layer.*``."""
    return re.sub(r"(?<=\.)\d+(?=\.|$)", "*", name) or "model"


def _medians(steps: Sequence[Mapping[str, float]], names: Iterable[str]) -> dict[str, float]:
    return {name: median(step.get(name, 0.0) for step in steps) for name in names}


def _by_size(steps: Sequence[Mapping[str, float]]) -> list[str]:
    """Return the names that occur in any step, the largest median first."""
    names = sorted({name for step in steps for name in step})
    medians = _medians(steps, names)
    return sorted(names, key=lambda name: -medians[name])


def _table(medians: Mapping[str, float], whole: float) -> list[dict[str, Any]]:
    return [{"name": name, "ms": ms, "share": ms / whole} for name, ms in medians.items()]
