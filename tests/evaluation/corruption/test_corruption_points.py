"""Names of grid points, and which points a grid has."""

from __future__ import annotations

import pytest

from amb.errors import InputError
from amb.evaluation.corruption.points import Condition, GridPoint, grid_points
from amb.study import CorruptionEntry, CorruptionSettings


@pytest.mark.parametrize(
    ("point", "name"),
    [
        (GridPoint(Condition("gaussian", "audio", 0.5), 2), "gaussian:audio:0.5:2"),
        (GridPoint(Condition("gaussian", "audio+visual", 2.0), 0), "gaussian:audio+visual:2:0"),
        (GridPoint(Condition("missing", "audio+text", 1), 0), "missing:audio+text:1:0"),
        (GridPoint(Condition("token_mask", "text", 1e-05), 11), "token_mask:text:1e-05:11"),
    ],
)
def test_a_name_is_written_and_read_back(point, name):
    assert point.name == name
    assert GridPoint.parse(name) == point


@pytest.mark.parametrize(
    "name",
    [
        *("none", "gaussian:audio:0.50:0", "gaussian:audio:1", "gaussian:text:1:0"),
        *("blur:visual:1:0", "gaussian:audio:loud:0"),
    ],
)
def test_what_is_no_name_is_refused(name):
    with pytest.raises(InputError, match=f"corruption: found '{name}'"):
        GridPoint.parse(name)


def test_what_is_not_random_is_drawn_once():
    settings = CorruptionSettings(
        3,
        (
            CorruptionEntry("gaussian", ("audio", "visual"), (0.0, 0.5)),
            CorruptionEntry("missing", ("text",), (0.5, 1.0)),
            CorruptionEntry("temporal_shuffle", ("audio",), (1.0,)),
        ),
    )
    assert [point.name for point in grid_points(settings)] == [
        *("gaussian:audio:0:0", "gaussian:audio:0.5:0", "gaussian:audio:0.5:1"),
        *("gaussian:audio:0.5:2", "gaussian:visual:0:0", "gaussian:visual:0.5:0"),
        *("gaussian:visual:0.5:1", "gaussian:visual:0.5:2", "missing:text:0.5:0"),
        *("missing:text:0.5:1", "missing:text:0.5:2", "missing:text:1:0"),
        *(f"temporal_shuffle:audio:1:{draw}" for draw in range(3)),
    ]
