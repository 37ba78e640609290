"""Which steps of a study failed: the logs in its results folder say so at their end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amb.failures import Failure, parse_failure

TAIL_BYTES = 20_000
_FAILED_RULE = re.compile(r"^Error in rule (\S+?):$")
_LOG_OF_RULE = re.compile(r"^    log: (\S+?),? ")


@dataclass(frozen=True)
class FailedStep:
    """A step whose log ends with a failure.

    Attributes:
        rule: The rule's name, which the log goes by.
        log: The log.
        failed_at: When the log was written last, seconds since 1970.
        failure: What it ends with.
    """

    rule: str
    log: Path
    failed_at: float
    failure: Failure


def failed_steps(results: Path) -> list[FailedStep]:
    """Return the steps that failed when they were last tried, the latest first.

    A step that is tried again begins its log anew, so that a failure is forgotten then.

    Args:
        results: The study's results folder.

    Returns:
        One entry a log in its folder ``logs`` that ends with a failure.
    """
    found = []
    for log in (results / "logs").glob("*.log"):
        failure = parse_failure(last_lines(log))
        if failure is not None:
            found.append(FailedStep(log.stem, log, log.stat().st_mtime, failure))
    return sorted(found, key=lambda step: (-step.failed_at, step.rule))


def last_lines(log: Path) -> list[str]:
    """Return the last lines of a log, without those that are empty; none if it cannot be read."""
    try:
        with log.open("rb") as handle:
            size = handle.seek(0, 2)
            handle.seek(max(0, size - TAIL_BYTES))
            text = handle.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()]


def logs_of_failed_rules(snakemake_logs: Sequence[Path]) -> dict[str, Path | None]:
    """Return the rules that a run of Snakemake reports as failed, each with its log.

    Args:
        snakemake_logs: The logs of that run.

    Returns:
        Rule to log, in the order of failure; None where the report names none.
    """
    found: dict[str, Path | None] = {}
    rule = None
    text = "\n".join(log.read_text("utf-8", "replace") for log in snakemake_logs if log.is_file())
    for line in text.splitlines():
        if match := _FAILED_RULE.match(line):
            rule = match[1]
            found.setdefault(rule, None)
        elif rule and (match := _LOG_OF_RULE.match(line)):
            found[rule] = Path(match[1])
            rule = None
    return found


def failure_summary(rules: Mapping[str, Path | None], study: object, lines: int = 4) -> str:
    """Return what to print after a workflow that failed.

    Args:
        rules: Failed rules with their logs.
        study: The study's name or file, for the hint.
        lines: Last lines of a log to show where it does not explain itself.

    Returns:
        A few lines for each failed rule, and what to do next.
    """
    parts = [f"{len(rules)} of the steps failed:" if len(rules) != 1 else "One step failed:"]
    for rule, log in rules.items():
        tail = last_lines(log) if log else []
        failure = parse_failure(tail)
        parts.append(f"\n  {rule}")
        if failure is not None:
            parts.append(f"    {failure.what}" + (f" ({failure.where})" if failure.where else ""))
            parts += [f"    what to do: {failure.to_do}"] if failure.to_do else []
        elif tail:
            parts += [f"    | {line}" for line in tail[-lines:]]
        else:
            parts.append("    its log is empty: the process was killed, or did not start")
        parts += [f"    log: {log}"] if log else []
    parts.append(f"\nWhere the study stands: amb status {study}")
    return "\n".join(parts)
