"""From a study's sources to its store: read, check against the contract, write."""

from __future__ import annotations

from pathlib import Path

from amb.data.contract import checked
from amb.data.formats import READERS
from amb.data.sources import require_sources
from amb.data.store import write_store
from amb.study import Study


def prepare_store(study: Study, data_root: Path, out: Path) -> None:
    """Make the store of a study.

    A source that is missing, damaged or breaks the contract raises ``InputError``, and nothing is
    written.

    Args:
        study: The study, whose ``data`` section names the reader and its options.
        data_root: The folder that the study's paths are relative to.
        out: The store's folder; replaced if it exists.
    """
    require_sources(study, data_root)
    reader = study.data["reader"]
    dataset = checked(READERS[reader](study.data[reader], data_root), study.file)
    facts = {
        **dataset.facts,
        "reader": reader,
        "word_aligned": dataset.word_aligned,
        "sources": dataset.sources,
        "repairs": dataset.repairs,
    }
    write_store(out, dataset.utterances, dataset.features, dataset.labels, facts)
