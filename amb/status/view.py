"""A study's status for people: a table on a terminal, plain lines elsewhere.

On a terminal a row has a sign for each seed; where there are more seeds than fit, their counts. A
narrow one shows the rows' names in the study, a wide one their labels.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from amb.durations import duration
from amb.printable import printable
from amb.status.runs import Run, State
from amb.status.steps import FailedStep
from amb.status.study import StudyStatus
from amb.status.time_left import TimeLeft

MAX_SIGNS = {False: 10, True: 20}  # seeds that a narrow and a wide terminal show one by one
WIDE = 100  # columns of a terminal that shows labels
NARROW = 72  # columns of one that shows times
SHOWN_FAILURES = 3
# Signs for any terminal, and for one that knows letters only.
_SIGNS = {
    State.DONE: ("●", "#", "green"),
    State.TRAINED: ("◐", "+", "cyan"),
    State.RUNNING: ("▶", ">", "bold blue"),
    State.INTERRUPTED: ("‖", "=", "yellow"),
    State.FAILED: ("✗", "x", "bold red"),
    State.OUTDATED: ("○", "o", "magenta"),
    State.WAITING: ("·", ".", "dim"),
}
_MEANINGS = {
    State.DONE: "done",
    State.TRAINED: "trained, not yet evaluated",
    State.RUNNING: "running",
    State.INTERRUPTED: "interrupted",
    State.FAILED: "failed",
    State.OUTDATED: "of other settings, trains again",
    State.WAITING: "waiting",
}


def status_table(status: StudyStatus, console: Console) -> RenderableType:
    """Return what a terminal shows of a study.

    Args:
        status: Where the study stands.
        console: For its width, and for the characters that it knows.

    Returns:
        The counts, a table of the rows, the training left and what failed.
    """
    unicode = console.encoding.startswith("utf")
    parts: list[RenderableType] = [
        Text(_headline(status), "bold"),
        _table(status, console.width, unicode),
    ]
    parts += _legend(status, unicode, console.width)
    if left := time_left_text(status.time_left):
        parts.append(Text(left))
    for step in status.failed[:SHOWN_FAILURES]:
        parts += [Text(), *_failure(step)]
    if hidden := len(status.failed) - SHOWN_FAILURES:
        parts += [Text(f"… and {hidden} more", "dim")] if hidden > 0 else []
    return Group(*parts)


def status_lines(status: StudyStatus) -> Iterator[str]:
    """Yield a study's status as plain lines, one a row, for logs and pipes."""
    yield _headline(status)
    for row in status.rows:
        counts = Counter(run.state for run in row.runs)
        parts = [", ".join(f"{counts[state]} {state}" for state in State if counts[state])]
        if now := _now(row.runs):
            parts.append(now)
        if row.best_valid_mae is not None:
            parts.append(f"best validation MAE {row.best_valid_mae:.4f}")
        if row.time_s:
            parts.append(f"{duration(row.time_s)} of training")
        yield f"{row.method}: {'; '.join(parts)}"
    if left := time_left_text(status.time_left):
        yield left
    for step in status.failed:
        yield f"failed: {step.rule}: {step.failure.what}"
        yield f"  log: {step.log}"
        if step.failure.to_do:
            yield f"  what to do: {step.failure.to_do}"


def time_left_text(left: TimeLeft | None) -> str:
    """Return the estimate in words, with what it rests on; empty where there is none."""
    if left is None:
        return ""
    bases = (
        (left.from_finished, "the time of finished runs of their row"),
        (left.at_most, "all epochs that their recipe allows, at the present pace"),
        (left.from_others, "the mean time of other rows' runs, for want of their own"),
    )
    runs = [f"{count} run{'s' * (count > 1)} at {basis}" for count, basis in bases if count]
    if left.paced_by:
        at_once = f"{left.at_once:.1f} at a time, as the last {left.paced_by} runs"
    else:
        at_once = "one at a time" if left.at_once == 1 else f"{left.at_once:g} at a time, as now"
    return f"Training left: about {duration(left.seconds)}, {at_once}. Estimate: {'; '.join(runs)}."


def _headline(status: StudyStatus) -> str:
    total = sum(status.counts.values())
    others = [
        f"{count} {state}"
        for state, count in status.counts.items()
        if count and state is not State.DONE
    ]
    return f"{status.name}: " + ", ".join(
        [f"{status.counts[State.DONE]} of {total} runs done", *others]
    )


def _table(status: StudyStatus, width: int, unicode: bool) -> Table:
    wide, timed = width >= WIDE, width >= NARROW
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    table.add_column("Method", max_width=34 if wide else 24, no_wrap=True, overflow="ellipsis")
    table.add_column("Runs", no_wrap=True)
    table.add_column("Done", justify="right", no_wrap=True)
    table.add_column("Best MAE", justify="right", no_wrap=True)
    if timed:
        table.add_column("Time", justify="right", no_wrap=True)
        table.add_column("Now", max_width=50 if wide else 20)
    for row in status.rows:
        done = sum(run.state is State.DONE for run in row.runs)
        best = row.best_valid_mae
        cells: list[RenderableType] = [
            Text(printable(row.label if wide else row.method)),
            _signs(row.runs, MAX_SIGNS[wide], unicode),
            f"{done}/{len(row.runs)}",
            "" if best is None else f"{best:.4f}",
        ]
        if timed:
            cells += [duration(row.time_s) if row.time_s else "", Text(_now(row.runs))]
        table.add_row(*cells)
    return table


def _signs(runs: Sequence[Run], most: int, unicode: bool) -> Text:
    """Return a sign a seed; of many seeds, each state's sign with its count."""
    text = Text()
    if len(runs) <= most:
        for run in runs:
            sign, letter, style = _SIGNS[run.state]
            text.append(sign if unicode else letter, style)
        return text
    counts = Counter(run.state for run in runs)
    for state in State:
        if counts[state]:
            sign, letter, style = _SIGNS[state]
            text.append(f"{sign if unicode else letter}{counts[state]} ", style)
    return text


def _now(runs: Sequence[Run]) -> str:
    """Return what happens in a row, and what a person should know of its runs."""
    parts = []
    running = [run for run in runs if run.state is State.RUNNING]
    if running:
        epochs = sorted({run.epoch or 0 for run in running})
        span = f"{epochs[0]}" if len(epochs) == 1 else f"{epochs[0]}–{epochs[-1]}"
        parts.append(f"epoch {span} of {running[0].max_epochs}")
    interrupted = [run for run in runs if run.state is State.INTERRUPTED]
    if interrupted:
        kept = sorted(run.kept_epoch for run in interrupted if run.kept_epoch)
        where = f"to go on in epoch {kept[0]}" if kept else "to start anew"
        parts.append(f"{len(interrupted)} interrupted, {where}")
    odd = [run for run in runs if run.note and run.state in (State.DONE, State.TRAINED)]
    parts += [f"seed {run.seed}: {run.note}" for run in odd[:2]]
    return "; ".join(parts)


def _legend(status: StudyStatus, unicode: bool, width: int) -> list[Text]:
    """Return what the signs mean, a sign never apart from its meaning."""
    items = [
        Text.assemble((sign if unicode else letter, style), (f" {_MEANINGS[state]}", "dim"))
        for state, (sign, letter, style) in _SIGNS.items()
        if status.counts[state]
    ]
    items.append(Text("MAE: of validation, best seed", "dim"))
    lines = [items[0]]
    for item in items[1:]:
        if len(lines[-1]) + 3 + len(item) <= width:
            lines[-1].append("   ").append_text(item)
        else:
            lines.append(item)
    return lines


def _failure(step: FailedStep) -> Iterator[RenderableType]:
    when = time.strftime("%d %b %H:%M", time.localtime(step.failed_at))
    yield Text.assemble((f"{step.rule} failed", "bold red"), (f"  {when}", "dim"))
    failure = step.failure
    where = f" ({failure.where})" if failure.where else ""
    lines = [f"{failure.what}{where}"]
    if failure.to_do:
        lines.append(f"What to do: {failure.to_do}")
    lines.append(f"Log: {step.log}")
    for line in lines:
        yield Padding(Text(printable(line)), (0, 0, 0, 2), expand=False)
