"""Was a claim written before the test labels were read? A file's own word for it is no proof.

Just before a run's test labels are read for the first time, ``evaluated.json`` beside its
predictions keeps a digest of every claim, as it stands at that moment. Judging compares these with
today's claims: what differs was edited afterwards. This asks no clock. Only runs without such a
record are judged by times: of the claims file's last change and of the predictions.

What it cannot see: results that were looked at elsewhere, or a results folder that was deleted.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amb.checked_files import load_checked_yaml
from amb.errors import InputError
from amb.files import read_json, sha256_of, write_json
from amb.study import digest

RECORD = "evaluated.json"
PREDICTIONS = "predictions.parquet"
PUBLISHED = "published.csv"
# What counts beside the claims themselves, under names that no claim can have.
SETTINGS = "alpha, families and collapse rule"
QUOTED = "published numbers"
GIT_TIMEOUT_S = 30


@dataclass(frozen=True)
class Moment:
    """A point in time, None where it cannot be told, and how it is known."""

    at: datetime | None
    source: str


def claim_digests(claims_file: Path) -> dict[str, str]:
    """Return a digest of every claim and of what else decides a verdict, by name.

    Comments and order do not count. Claims follow the published numbers beside their file too.

    Args:
        claims_file: A claims file.

    Returns:
        Names to digests.

    Raises:
        InputError: It is no claims file.
    """
    content = load_checked_yaml(claims_file, "claims")
    digests = {claim["id"]: digest(claim) for claim in content["claims"]}
    digests[SETTINGS] = digest({k: v for k, v in content.items() if k != "claims"})
    published = claims_file.parent / PUBLISHED
    if published.is_file():
        digests[QUOTED] = sha256_of(published)
    return digests


def record_evaluation(run: Path, claims_file: Path) -> None:
    """Note what is registered before a run's test labels are read; the first note stays.

    Args:
        run: The run's folder. Nothing is noted where no run was trained.
        claims_file: The study's claims file; it may be missing or wrong, and nothing is registered
            then.
    """
    record = run / RECORD
    if record.exists() or not (run / "run.json").is_file():
        return
    if (run / PREDICTIONS).is_file():  # of a time before this note was taken: claims unknown
        moment, digests = file_time(run / PREDICTIONS), None
    else:
        moment, digests = Moment(_now(), "clock"), _digests_if_any(claims_file)
    write_json(
        record,
        {
            "schema": 1,
            "first_evaluation_at": _text(moment.at),
            "from": moment.source,
            "claims_sha256": sha256_of(claims_file) if digests else None,
            "claims": digests,
        },
    )


def registration(claims_file: Path, runs: Sequence[Path]) -> dict[str, Any]:
    """Compare today's claims with what was registered when test labels were first read.

    Args:
        claims_file: The claims file.
        runs: Folders of the study's runs.

    Returns:
        JSON-able values: when the file last changed and when labels were first read, and how each
        is known; ``edited_after_evaluation`` (None where it cannot be told), ``edited`` and
        ``withdrawn`` claims; and ``statement``, all of it in words.

    Raises:
        InputError: The claims file is none, or a record is damaged.
    """
    records = [found for run in runs if (found := _read_record(run)) is not None]
    changed = last_change(claims_file)
    first = _earliest([moment for moment, _ in records])
    today = claim_digests(claims_file)
    known = [claims for _, claims in records if claims is not None]
    edited = sorted({name for claims in known for name in today if claims.get(name) != today[name]})
    withdrawn = sorted({name for claims in known for name in claims if name not in today})
    late: bool | None = bool(edited or withdrawn)
    if not late and len(known) < len(records):
        undated = [moment for moment, claims in records if claims is None]
        late = _is_later(changed, _earliest(undated))
    return {
        "claims_file": claims_file.name,
        "claims_changed_at": _text(changed.at),
        "claims_changed_at_from": changed.source,
        "first_evaluation_at": _text(first.at),
        "first_evaluation_at_from": first.source,
        "decided_by": "content" if edited or withdrawn or len(known) == len(records) else "times",
        "edited_after_evaluation": late if records else False,
        "edited": edited,
        "withdrawn": withdrawn,
        "statement": _statement(late if records else False, edited, withdrawn, bool(records)),
    }


def last_change(file: Path) -> Moment:
    """Return when a file last changed: its last commit where it is tracked and clean.

    Args:
        file: A file.

    Returns:
        The moment; the file's own time where git does not know the file as it is.
    """
    tracked = _git(file, "ls-files", "--error-unmatch", "--", file.name)
    changes = _git(file, "status", "--porcelain", "--", file.name)
    if tracked and changes == "":
        committed = _git(file, "log", "-1", "--format=%cI", "--", file.name)
        try:
            return Moment(_time(committed or ""), "git commit")
        except ValueError:
            return file_time(file)
    return file_time(file)


def file_time(file: Path) -> Moment:
    """Return a file's modification time; None where it is none that a calendar has."""
    try:
        return Moment(datetime.fromtimestamp(file.stat().st_mtime, UTC), "file time")
    except (OSError, OverflowError, ValueError):
        return Moment(None, "file time")


def _digests_if_any(claims_file: Path) -> dict[str, str]:
    try:
        return claim_digests(claims_file)
    except InputError:
        return {}


def _read_record(run: Path) -> tuple[Moment, dict[str, str] | None] | None:
    """Return when a run was evaluated and what was registered then; None if it never was."""
    file = run / RECORD
    if not file.is_file():
        predictions = run / PREDICTIONS
        return (file_time(predictions), None) if predictions.is_file() else None
    try:
        record = read_json(file)
        claims = record["claims"]
        if claims is not None and not isinstance(claims, Mapping):
            raise TypeError("claims")
        at = record["first_evaluation_at"]
        moment = Moment(None if at is None else _time(at), str(record["from"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(file, "content", str(error), "the note of amb evaluate") from error
    return moment, None if claims is None else dict(claims)


def _earliest(moments: Sequence[Moment]) -> Moment:
    """Return the earliest moment that is known."""
    dated = [moment for moment in moments if moment.at is not None]
    if not dated:
        return moments[0] if moments else Moment(None, "no evaluation")
    return min(dated, key=lambda moment: str(_text(moment.at)))  # in UTC, text sorts as time


def _is_later(changed: Moment, first: Moment) -> bool | None:
    if changed.at is None or first.at is None:
        return None
    return changed.at > first.at


def _statement(
    late: bool | None, edited: Sequence[str], withdrawn: Sequence[str], evaluated: bool
) -> str:
    if not evaluated:
        return "No test labels have been read yet."
    if late is None:
        return (
            "It cannot be told whether the claims were registered before the test labels were read."
        )
    if not late:
        return "The claims are those that were registered before the test labels were read."
    parts = ["Edited after the test labels were read"]
    if edited:
        parts.append(f"new or changed: {', '.join(edited)}")
    if withdrawn:
        parts.append(f"withdrawn: {', '.join(withdrawn)}")
    if not edited and not withdrawn:
        parts.append("by the times of files, which do not tell which claims")
    return f"{parts[0]}: {'; '.join(parts[1:])}."


def _now() -> datetime:
    return datetime.now(UTC)


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")


def _time(text: str) -> datetime:
    """Read a time in UTC; one without a zone is taken as UTC."""
    at = datetime.fromisoformat(text)
    try:
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(f"{text} is beyond the calendar") from error


def _git(file: Path, *arguments: str) -> str | None:
    """Return what git says in a file's folder; None where there is no git or it refuses."""
    command = ["git", "-C", str(file.resolve().parent), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=GIT_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
