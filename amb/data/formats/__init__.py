"""One reader a file, each turning a layout that users hold into utterances, features and labels.

A reader is a function of a study's options and the data root that returns a ``Dataset``. It reads
and orders; the contract checks. To add one: a file here, its line in ``READERS``, its files in
``amb.data.sources.FILE_OPTIONS``, its options in the study's schema.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from amb.data.dataset import Dataset
from amb.data.formats.csd import read_csd
from amb.data.formats.demo import read_demo
from amb.data.formats.h5 import read_h5
from amb.data.formats.label_csv import read_label_csv
from amb.data.formats.mag import read_mag
from amb.data.formats.misa import read_misa
from amb.data.formats.mmsa import read_mmsa
from amb.data.formats.mult import read_mult

READERS: dict[str, Callable[[dict[str, Any], Path], Dataset]] = {
    "demo": read_demo,
    "csd": read_csd,
    "mmsa": read_mmsa,
    "misa": read_misa,
    "mag": read_mag,
    "mult": read_mult,
    "h5": read_h5,
    "label_csv": read_label_csv,
}
