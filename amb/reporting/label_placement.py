"""Labels beside points: as near as they can stand without covering a point or one another.

Greedy: points are labelled one after another, the most crowded first, each at the nearest free
place around it. The same points give the same places.

Notation: lengths in pixels of the figure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

RADII_PT = (7, 9, 13, 18, 24, 31, 39, 48, 58, 70, 84)
ANGLES = 24
MARKER_PT = 4.5  # half of the square that a point keeps free
LEADER_FROM_PT = 11  # a label farther away is tied to its point by a line
Point = tuple[float, float]
Segment = tuple[Point, Point]


@dataclass(frozen=True)
class PointLabel:
    """A label and the point that it belongs to, in data coordinates."""

    text: str
    x: float
    y: float
    bold: bool = False


def place_labels(
    axes: Axes, labels: Sequence[PointLabel], keep_free: Sequence[Segment] = ()
) -> list[Annotation]:
    """Write a label beside every point.

    Args:
        axes: Where to; its limits and scales must be final.
        labels: The labels.
        keep_free: Segments, in data coordinates, that no label may cover.

    Returns:
        The annotations, in the order of ``labels``. Where no place is free a label stands where it
        covers least.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # lays out, so that pixels are known
    pixel = figure.dpi / 72
    points = [tuple(axes.transData.transform((label.x, label.y))) for label in labels]
    taken = [Bbox.from_extents(x - MARKER_PT * pixel, y - MARKER_PT * pixel,
                               x + MARKER_PT * pixel, y + MARKER_PT * pixel)
             for x, y in points]  # fmt: skip
    taken += [box for segment in keep_free for box in _segment_boxes(axes, segment, pixel)]
    sizes = [_size(axes, label) for label in labels]
    area = axes.get_window_extent()
    placed: dict[int, tuple[Bbox, float]] = {}
    for index in _most_crowded_first(points):
        box, distance = _nearest_free(points[index], sizes[index], taken, area, pixel)
        taken.append(box)
        placed[index] = box, distance
    return [
        _write(axes, label, points[index], *placed[index], pixel)
        for index, label in enumerate(labels)
    ]


def _size(axes: Axes, label: PointLabel) -> tuple[float, float]:
    text = axes.text(label.x, label.y, label.text, fontsize=6.5, fontweight=_weight(label))
    box = text.get_window_extent()
    text.remove()
    return box.width, box.height


def _weight(label: PointLabel) -> str:
    return "bold" if label.bold else "normal"


def _segment_boxes(axes: Axes, segment: Segment, pixel: float) -> list[Bbox]:
    """Return small boxes along a segment."""
    (x0, y0), (x1, y1) = axes.transData.transform(segment)
    steps = max(1, math.ceil(math.hypot(x1 - x0, y1 - y0) / (3 * pixel)))
    boxes = []
    for step in range(steps + 1):
        x, y = x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps
        boxes.append(Bbox.from_extents(x - pixel, y - pixel, x + pixel, y + pixel))
    return boxes


def _most_crowded_first(points: Sequence[Point]) -> list[int]:
    def crowd(index: int) -> float:
        return sum(1 / (1 + math.dist(points[index], other) ** 2 / 400) for other in points)

    return sorted(range(len(points)), key=lambda index: (-round(crowd(index), 6), index))


def _nearest_free(
    point: Point, size: tuple[float, float], taken: Sequence[Bbox], area: Bbox, pixel: float
) -> tuple[Bbox, float]:
    """Return the first box around a point that covers nothing, with its distance in points."""
    best: tuple[float, Bbox, float] | None = None
    for radius in RADII_PT:
        for step in range(ANGLES):
            angle = 2 * math.pi * step / ANGLES
            box = _box_at(point, size, radius * pixel, angle)
            covered = sum(_overlap(box, other) for other in taken) + _outside(box, area)
            if covered == 0:
                return box, radius
            if best is None or covered < best[0]:
                best = covered, box, radius
    assert best is not None
    return best[1], best[2]


def _box_at(point: Point, size: tuple[float, float], radius: float, angle: float) -> Bbox:
    """Return the box whose nearest side is ``radius`` from the point in a direction."""
    width, height = size
    x = point[0] + radius * math.cos(angle) + (math.cos(angle) - 1) / 2 * width
    y = point[1] + radius * math.sin(angle) + (math.sin(angle) - 1) / 2 * height
    return Bbox.from_bounds(x, y, width, height)


def _overlap(one: Bbox, other: Bbox) -> float:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return width * height if width > 0 and height > 0 else 0.0


def _outside(box: Bbox, area: Bbox) -> float:
    return box.width * box.height - _overlap(box, area) if _overlap(box, area) < 0.999 * (
        box.width * box.height
    ) else 0.0  # fmt: skip


def _write(
    axes: Axes, label: PointLabel, point: Point, box: Bbox, distance: float, pixel: float
) -> Annotation:
    corner = ((box.x0 - point[0]) / pixel, (box.y0 - point[1]) / pixel)
    note = axes.annotate(
        label.text, (label.x, label.y), xytext=corner, textcoords="offset points", ha="left",
        va="bottom", fontsize=6.5, fontweight=_weight(label), zorder=6,
    )  # fmt: skip
    note.set_in_layout(False)
    if distance >= LEADER_FROM_PT:
        end = (min(max(point[0], box.x0), box.x1), min(max(point[1], box.y0), box.y1))
        offset = ((end[0] - point[0]) / pixel, (end[1] - point[1]) / pixel)
        line = axes.annotate(
            "", (label.x, label.y), xytext=offset, textcoords="offset points", zorder=1,
            arrowprops={"arrowstyle": "-", "color": "#999999", "linewidth": 0.4, "shrinkA": 0,
                        "shrinkB": 2.5},
        )  # fmt: skip
        line.set_in_layout(False)
    return note
