"""From sources to a store: read, check against the contract, write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from amb.data.contract import checked
from amb.data.dataset import Dataset
from amb.data.formats import READERS
from amb.data.sources import require_sources
from amb.data.store_writer import write_store
from amb.study import Study


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
    dataset = checked(read_sources(study, data_root), study.file)
    share = study.data["largest_nonfinite_share"]
    facts = {"reader": study.data["reader"]}
    write_store(out, dataset, facts, study.file, share, on_bytes)


def read_sources(study: Study, data_root: Path) -> Dataset:
    """Read a study's sources, unchecked."""
    reader = study.data["reader"]
    return READERS[reader](study.data[reader], data_root)
