"""The figures of a study, in the order in which a reader needs them, as images in the page.

A new figure is a line of ``FIGURES``; one that is not listed is shown last, under its file's name.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from PIL import Image

from amb.reporting.study_page.folder import StudyFolder
from amb.reporting.study_page.report_captions import caption_file, caption_params, render_caption

MOST_IMAGE_CHARACTERS = 2_600_000  # of a page of 5 MB; utterances need most of the rest


@dataclass(frozen=True)
class FigureEntry:
    """One figure of the folder ``figures``.

    Attributes:
        name: Name of its files there.
        title: What the page calls it.
        shows: What is drawn, for whoever cannot see it.
    """

    name: str
    title: str
    shows: str


FIGURES = (
    FigureEntry(
        "comparison",
        "Comparison",
        "Dot plot, one panel a metric and one line a method: every seed, the mean and its "
        "interval, with a line at the mean of the reference.",
    ),
    FigureEntry(
        "claims", "Claims", "Every tested claim with its effect, interval and verdict, a line each."
    ),
    FigureEntry(
        "effects",
        "Effects",
        "Forest plot of every method's difference to the reference with its interval, and the "
        "band of differences that are too small to matter.",
    ),
    FigureEntry(
        "superiority",
        "P(A > B)",
        "Matrix of the probability that a run of the row's method beats one of the column's.",
    ),
    FigureEntry("ablation", "Ablation", "Scores of the variants of the method, side by side."),
    FigureEntry(
        "parameters",
        "Score against parameters",
        "Scatter plot of each method's score against its trainable parameters.",
    ),
    FigureEntry(
        "predictions",
        "Predictions against labels",
        "Scatter plots of predictions against labels, a panel a method.",
    ),
    FigureEntry(
        "fusion_norms", "Where fusion acts", "Size of what fusion adds to the text, by layer."
    ),
    FigureEntry(
        "robustness",
        "Robustness",
        "Line plots of the score against the level of each corruption, a line a method.",
    ),
    FigureEntry(
        "training_curves",
        "Training curves",
        "Validation error by epoch, a panel a method and a thin line a seed.",
    ),
    FigureEntry(
        "expected_maximum",
        "Expected maximum",
        "The best validation score to be expected by number of trials, a panel a method.",
    ),
)


@dataclass(frozen=True)
class PageFigure:
    """One figure as the page shows it.

    Attributes:
        name: Name of its files.
        title: What it is called.
        alt: What is drawn, in words.
        caption: Its caption as HTML; may be empty.
        source: The image as a data URI; empty where the page has no room for it.
        width: Its width in pixels.
        height: Its height in pixels.
        files: Its files, relative to the results folder.
    """

    name: str
    title: str
    alt: str
    caption: Markup
    source: str
    width: int
    height: int
    files: tuple[str, ...]


def read_figures(folder: StudyFolder) -> list[PageFigure]:
    """Read the figures of a results folder.

    Args:
        folder: The results folder.

    Returns:
        Those that have a PNG, listed ones first; those for which there is no room come without
        their image.
    """
    images = folder.path / "figures"
    listed = [entry for entry in FIGURES if (images / f"{entry.name}.png").is_file()]
    known = {entry.name for entry in FIGURES}
    others = sorted(file.stem for file in images.glob("*.png") if file.stem not in known)
    extra = [FigureEntry(name, name.replace("_", " ").capitalize(), "") for name in others]
    room = MOST_IMAGE_CHARACTERS
    figures = []
    for entry in (*listed, *extra):
        figure = _read(folder, entry, room)
        room -= len(figure.source)
        figures.append(figure)
    return figures


def _read(folder: StudyFolder, entry: FigureEntry, room: int) -> PageFigure:
    file = folder.path / "figures" / f"{entry.name}.png"
    source, (width, height) = _data_uri(file)
    caption = caption_file(entry.name)
    files = [f"figures/{entry.name}.{kind}" for kind in ("png", "pdf")]
    return PageFigure(
        name=entry.name,
        title=entry.title,
        alt=entry.shows or f"Figure {entry.title}",
        caption=render_caption(caption, caption_params(folder)) if caption else Markup(""),
        source=source if len(source) <= room else "",
        width=width,
        height=height,
        files=tuple(name for name in files if (folder.path / name).is_file()),
    )


def _data_uri(file: Path) -> tuple[str, tuple[int, int]]:
    """Return an image as lossless WebP, a third of the size of a PNG, and its size in pixels."""
    with Image.open(file) as image:
        opaque = Image.new("RGB", image.size, "white")
        drawn = image.convert("RGBA")
        opaque.paste(drawn, mask=drawn.getchannel("A"))
    buffer = io.BytesIO()
    opaque.save(buffer, "WEBP", lossless=True, quality=80, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}", opaque.size
