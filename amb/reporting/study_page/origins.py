"""Where the numbers come from: configuration, hashes, versions, hardware, commits and commands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from amb.evaluation.predictions import CLEAN_FILE
from amb.files import sha256_of
from amb.reporting.claim_texts import HASH_DIGITS
from amb.reporting.rounding import MISSING, format_count
from amb.reporting.study_page.folder import StudyFolder, is_control, optional_json
from amb.study import digest


@dataclass(frozen=True)
class Fact:
    """A name and what stands beside it; ``is_code``: a hash, a path or a command."""

    name: str
    values: tuple[str, ...]
    is_code: bool = False


@dataclass(frozen=True)
class Origins:
    """The page's last section.

    Attributes:
        hashes: What identifies the inputs.
        machine: What ran where.
        versions: Package and its version, as the runs recorded them.
        rows: The study's rows: label, builder, options, seeds, trainable parameters.
        runs: Every run: method, seed, epochs, validation error, time, memory, identity.
        configuration: The resolved study as indented JSON.
        reproduce: Commands that make the study again.
        verify: Commands that check this folder.
        warning: Said first where a run's source differed from its commit.
    """

    hashes: tuple[Fact, ...]
    machine: tuple[Fact, ...]
    versions: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]
    runs: tuple[tuple[str, ...], ...]
    configuration: str
    reproduce: tuple[str, ...]
    verify: tuple[str, ...]
    warning: str


def origins_of(folder: StudyFolder, tested: Mapping[str, Any] | None) -> Origins:
    """Gather where a study's numbers come from.

    Args:
        folder: The results folder.
        tested: The content of ``claims.json``; None where there is none.

    Returns:
        What the page's last section shows.
    """
    records = {
        (method, seed): record
        for method, seeds in folder.seeds.items()
        for seed in seeds
        if (record := folder.record(method, seed)) is not None
    }
    resolved = {key: value for key, value in folder.study.items() if key != "sha256"}
    sources = [record.get("source") or {} for record in records.values()]
    commits = _distinct(source.get("commit") for source in sources)
    dirty = any(source.get("dirty") for source in sources)
    return Origins(
        hashes=_hashes(folder, records.values(), digest(resolved), tested),
        machine=_machine(folder, records.values(), commits),
        versions=_versions(records.values()),
        rows=tuple(_row(folder, name, records) for name in folder.labels),
        runs=tuple(_run(folder, key, record) for key, record in records.items()),
        configuration=json.dumps(resolved, indent=2, ensure_ascii=False),
        reproduce=(
            *(f"git checkout {commit}" for commit in commits[:1]),
            "make setup",
            f"snakemake --cores all --resources gpu=1 --config study={folder.command_study}",
        ),
        verify=(f"amb verify results/{folder.name}",),
        warning="Some runs were made from a work tree that differed from its commit; the source "
        "digests below say exactly what ran."
        if dirty
        else "",
    )


def _hashes(
    folder: StudyFolder,
    records: Iterable[Mapping[str, Any]],
    study_sha256: str,
    tested: Mapping[str, Any] | None,
) -> tuple[Fact, ...]:
    runs = list(records)
    facts = [
        ("Study, as resolved", [study_sha256]),
        ("Data (store)", _distinct(run.get("store_sha256") for run in runs)),
        ("Backbone weights", _distinct(run.get("backbone_sha256") for run in runs)),
        ("Tokenizer, as it works", _distinct(run.get("tokenizer_sha256") for run in runs)),
        ("Claims file", _distinct([(tested or {}).get("claims_sha256")])),
        ("Published numbers", _distinct([(tested or {}).get("published_sha256")])),
        ("Source of the runs", _distinct(run.get("source_sha256") for run in runs)),
        ("Predictions, all files", _predictions_hash(folder)),
    ]
    return tuple(Fact(name, tuple(values), is_code=True) for name, values in facts if values)


def _predictions_hash(folder: StudyFolder) -> list[str]:
    """Return one hash over the hashes of all prediction files, by row and seed."""
    hashes = {
        f"{method}/{file.parent.name}/{CLEAN_FILE}": sha256_of(file)
        for method, files in folder.prediction_files().items()
        for file in files
    }
    return [digest(hashes)] if hashes else []


def _machine(
    folder: StudyFolder, records: Iterable[Mapping[str, Any]], commits: list[str]
) -> tuple[Fact, ...]:
    runs = list(records)
    devices = _distinct((run.get("device") or {}).get("name") for run in runs)
    hours = sum(float(run.get("wall_time_s") or 0.0) for run in runs) / 3600
    peak = max((int(run.get("peak_memory_bytes") or 0) for run in runs), default=0)
    facts = [
        ("Language model", [_backbone_text(folder)], False),
        ("Hardware", devices, False),
        ("Threads a run", _distinct(run.get("threads") for run in runs), False),
        ("Matrix precision", _distinct(run.get("matmul_precision") for run in runs), False),
        ("Training time, all runs", [f"{hours:.2f} h"] if hours else [], False),
        ("Largest memory of a run", [f"{peak / 1e9:.2f} GB"] if peak else [], False),
        ("Commit", commits, True),
    ]
    return tuple(Fact(name, tuple(values), is_code) for name, values, is_code in facts if values)


def _versions(records: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    found: dict[str, dict[str, None]] = {}
    for run in records:
        for package, version in (run.get("versions") or {}).items():
            found.setdefault(package, {})[str(version)] = None
    return tuple((package, ", ".join(own)) for package, own in sorted(found.items()))


def _row(
    folder: StudyFolder, name: str, records: Mapping[tuple[str, int], Mapping[str, Any]]
) -> tuple[str, ...]:
    row = folder.study["methods"][name]
    options = {**row["options"], **({"control": row["control"]} if row["control"] else {})}
    record = records.get((name, folder.seeds[name][0]), {})
    trainable = (record.get("parameters") or {}).get("trainable")
    return (
        str(row["label"]),
        f"{row['builder']}{' (control)' if is_control(row) else ''}",
        ", ".join(f"{key} {value}" for key, value in options.items()) or MISSING,
        str(len(row["seeds"])),
        MISSING if trainable is None else format_count(trainable),
    )


def _run(folder: StudyFolder, key: tuple[str, int], record: Mapping[str, Any]) -> tuple[str, ...]:
    method, seed = key
    error, time = record.get("best_valid_mae"), record.get("wall_time_s")
    memory, identity = record.get("peak_memory_bytes"), record.get("identity_sha256")
    return (
        folder.labels[method],
        str(seed),
        str(record.get("best_epoch", MISSING)),
        str(record.get("epochs", MISSING)),
        MISSING if error is None else f"{error:.4f}",
        MISSING if time is None else f"{time:.1f}",
        MISSING if memory is None else f"{memory / 1e9:.2f}",
        MISSING if identity is None else str(identity)[:HASH_DIGITS],
    )


def _distinct(values: Iterable[object]) -> list[str]:
    return list(dict.fromkeys(str(value) for value in values if value not in (None, "")))


def _backbone_text(folder: StudyFolder) -> str:
    """Return which language model the rows share, with what its card says of it."""
    backbone = folder.study["backbone"]
    card = optional_json(folder.path / "backbone" / "card.json") or {}
    layers = card.get("layers") or backbone.get("layers")
    parts = [f"{backbone['name']}{f', {layers} layers' if layers else ''}"]
    parts += [str(card[key]) for key in ("origin", "licence", "note") if card.get(key)]
    return "; ".join(parts)
