"""The embedded demo as a reader: there is nothing to read, so it is generated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from amb.data.dataset import Dataset
from amb.data.demo import DemoSettings, bounds, generate


def read_demo(options: dict[str, Any], data_root: Path) -> Dataset:
    """Generate the demo.

    Args:
        options: The study's ``data.demo`` section.
        data_root: Not used.

    Returns:
        The data set; its facts hold the settings and the bounds of what can be predicted.
    """
    settings = DemoSettings(**options)
    utterances, features, labels, _ = generate(settings)
    return Dataset(
        utterances=utterances,
        features=features,
        labels=labels,
        word_aligned=dict.fromkeys(features, True),
        facts={"demo": {"settings": options, "bounds": bounds(settings)}},
    )
