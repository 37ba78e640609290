"""From sources to a store: read, check against the contract, probe for leakage, write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from amb.data.contract import checked
from amb.data.dataset import Dataset
from amb.data.formats import READERS
from amb.data.leakage import LeakageReport, probe_leakage, utterance_means
from amb.data.sources import require_sources
from amb.data.store_writer import write_store
from amb.errors import InputError
from amb.study import Study

LEAKAGE_SEED = 20221201
LEAKAGE_PERMUTATIONS = 200


def prepare_store(
    study: Study, data_root: Path, out: Path, on_bytes: Callable[[int], None] | None = None
) -> None:
    """Make the store of a study.

    A source that is missing, damaged or breaks the contract raises ``InputError``, and nothing is
    written.

    Args:
        study: The study, whose ``data`` section names the reader and its options.
        data_root: The folder that the study's paths are relative to.
        out: The store's folder; replaced if it exists.
        on_bytes: Called with the number of bytes of features that were just written.
    """
    require_sources(study, data_root)
    reader = study.data["reader"]
    dataset = READERS[reader](study.data[reader], data_root)
    write_dataset(dataset, study.data, study.file, out, on_bytes)


def write_dataset(
    dataset: Dataset,
    settings: Mapping[str, Any],
    named: Path,
    out: Path,
    on_bytes: Callable[[int], None] | None = None,
) -> None:
    """Check a data set and write its store.

    Args:
        dataset: What a reader handed over.
        settings: A study's ``data`` section with its defaults.
        named: What to name in messages.
        out: The store's folder; replaced if it exists.
        on_bytes: Called with the number of bytes of features that were just written.

    Raises:
        InputError: The contract is broken, or leakage is to be refused and raises the alarm.
    """
    dataset = checked(dataset, named)
    facts: dict[str, Any] = {"reader": settings["reader"]}
    if settings["leakage_alarm"] != "off":
        reports = {modality: _probe(dataset, modality) for modality in dataset.features}
        for modality, report in reports.items():
            if report.alarm and settings["leakage_alarm"] == "refuse":
                expected = "features that know no label of the test videos"
                raise InputError(named, f"leakage into {modality}", report.sentence, expected)
        facts["leakage"] = {m: _plain(report) for m, report in reports.items()}
    share = settings["largest_nonfinite_share"]
    write_store(out, dataset, facts, named, share, on_bytes)


def _probe(dataset: Dataset, modality: str) -> LeakageReport:
    return probe_leakage(
        utterance_means(dataset.features[modality]),
        dataset.labels["label"].to_numpy(np.float64),
        dataset.utterances["video"].to_numpy(),
        dataset.utterances["split"].to_numpy(),
        np.random.default_rng(LEAKAGE_SEED),
        LEAKAGE_PERMUTATIONS,
    )


def _plain(report: LeakageReport) -> dict[str, Any]:
    """Return what a card says of a probe; no score on test labels is among it."""
    split, mixture = report.split, report.mixture
    return {
        "alarm": report.alarm,
        "split_p": None if split is None else split.p,
        "mixture_p": None if mixture is None else mixture.p,
        "mixture_tau": None if mixture is None else mixture.tau,
    }
