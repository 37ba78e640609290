"""The report of ``amb data inspect``: what a file is, and whether it would be accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from amb.data.contract import checked
from amb.data.formats import READERS
from amb.data.formats.layouts import LAYOUTS
from amb.data.inspection.contents import Block, Contents, read_contents
from amb.data.inspection.detect import detect
from amb.data.inspection.measures import Measures, measure
from amb.data.releases import known_release
from amb.errors import InputError
from amb.files import sha256_of

_SHOWN = 5


@dataclass
class Inspection:
    """What was found; ``as_json`` gives it as plain values.

    Attributes:
        file: The file.
        size: Its bytes.
        sha256: Their hash.
        release: The release that has this hash, None if it is no known one.
        layout: A name of ``LAYOUTS``, None if none fits.
        splits: By split: utterances, videos, and the labels' range and counts.
        blocks: What there is, with measures where it is numbers.
        problems: What a data set made of it would be refused for, or should be known of it.
        verdict: ``accepted``, ``refused`` or ``needs more``.
        reason: Why, in words.
    """

    file: str
    size: int
    sha256: str
    release: str | None
    layout: str | None = None
    splits: dict[str, dict[str, Any]] = field(default_factory=dict)
    blocks: list[tuple[Block, Measures | None]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    verdict: str = "refused"
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain values, without the arrays."""
        plain = {k: v for k, v in vars(self).items() if k != "blocks"}
        plain["blocks"] = [
            {
                "split": block.split,
                "name": block.name,
                "shape": block.shape,
                "dtype": block.dtype,
                **(asdict(own) if own else {}),
            }
            for block, own in self.blocks
        ]
        return plain


def inspect_file(file: Path) -> Inspection:
    """Inspect a file without running anything in it.

    Args:
        file: A file of unknown kind and origin.

    Returns:
        What it is. A hostile or damaged file is described as refused.

    Raises:
        InputError: There is no such file.
    """
    if not file.is_file():
        raise InputError(file, "file", "no such file", "a data file")
    digest = sha256_of(file)
    found = Inspection(str(file), file.stat().st_size, digest, known_release(digest))
    try:
        detected = detect(file)
        found.layout = detected.layout
        contents = read_contents(file, detected)
    except InputError as error:
        found.reason = str(error)
        return found
    found.splits = _splits(contents)
    found.blocks = [(block, measure(block)) for block in contents.blocks]
    found.problems = _problems(contents)
    found.verdict, found.reason = _judge(file, detected.layout)
    return found


def _splits(contents: Contents) -> dict[str, dict[str, Any]]:
    names = list(dict.fromkeys([*contents.ids, *contents.videos, *contents.labels]))
    return {split: _split(contents, split) for split in names}


def _split(contents: Contents, split: str) -> dict[str, Any]:
    own: dict[str, Any] = {}
    if split in contents.ids:
        own["utterances"] = len(contents.ids[split])
    if split in contents.videos:
        own["videos"] = len(set(contents.videos[split]))
    if split in contents.labels:
        labels = contents.labels[split]
        finite = labels[np.isfinite(labels)]
        own["labels"] = len(labels)
        own["labels_not_finite"] = len(labels) - len(finite)
        if len(finite):
            own["label_range"] = [float(finite.min()), float(finite.max())]
    return own


def _problems(contents: Contents) -> list[str]:
    """Say what is wrong with ids: twice in the file, in two splits; videos in two splits."""
    problems = []
    for split, ids in contents.ids.items():
        twice = [identifier for identifier, count in Counter(ids).items() if count > 1]
        if twice:
            problems.append(f"{len(twice)} ids occur twice in {split}: {_some(twice)}")
    for what, by_split in (("ids", contents.ids), ("videos", contents.videos)):
        shared = _in_two(by_split)
        if shared:
            problems.append(f"{len(shared)} {what} are in two splits: {_some(shared)}")
    return problems


def _in_two(by_split: Mapping[str, list[str]]) -> list[str]:
    counts = Counter(name for names in by_split.values() for name in set(names))
    return [name for name, count in counts.items() if count > 1]


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _judge(file: Path, name: str) -> tuple[str, str]:
    """Return the verdict of reader and contract where the file is a whole data set."""
    layout = LAYOUTS[name]
    if layout.needs or layout.reader is None:
        return "needs more", layout.needs
    options: dict[str, Any] = {"dataset": "other", "file": file.name}
    if name == "mmsa":
        options["modalities"] = ["audio", "visual"]
    try:
        checked(READERS[layout.reader](options, file.parent), file)
    except InputError as error:
        return "refused", str(error)
    return "accepted", f"as reader {layout.reader}"
