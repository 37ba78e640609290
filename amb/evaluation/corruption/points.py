"""The points of a grid of corruptions, and their names in prediction files.

The one place that makes and reads names: ``<kind>:<target>:<level>:<draw>``, as in
``gaussian:audio+visual:0.5:2``; ``none`` is the clean input.
"""

from __future__ import annotations

from typing import NamedTuple

from amb.errors import InputError
from amb.study import CORRUPTION_TARGETS, CorruptionSettings

CLEAN = "none"
# Of these nothing is left to chance at a share of 1; shuffled frames still have an order.
WHOLE_AT_ONE = ("feature_dropout", "missing", "token_mask")


class Condition(NamedTuple):
    """What is done to the inputs, whatever the draw.

    Attributes:
        kind: The kind of corruption.
        target: One modality, or two joined by "+".
        level: Standard deviation or share; 0 is the clean input.
    """

    kind: str
    target: str
    level: float

    @property
    def name(self) -> str:
        """``<kind>:<target>:<level>``."""
        level = int(self.level) if float(self.level).is_integer() else self.level
        return f"{self.kind}:{self.target}:{level!r}"

    @property
    def modalities(self) -> tuple[str, ...]:
        """What is corrupted, some of audio, visual and text."""
        return tuple(self.target.split("+"))

    @property
    def changes_words(self) -> bool:
        """Whether the model reads other words, or other embeddings of them."""
        return self.level > 0 and "text" in self.modalities

    @property
    def is_random(self) -> bool:
        """Whether two draws differ."""
        return self.level > 0 and not (self.level == 1 and self.kind in WHOLE_AT_ONE)


class GridPoint(NamedTuple):
    """One condition and one draw of its random numbers."""

    condition: Condition
    draw: int = 0

    @property
    def name(self) -> str:
        """``<kind>:<target>:<level>:<draw>``."""
        return f"{self.condition.name}:{self.draw}"

    @classmethod
    def parse(cls, name: str) -> GridPoint:
        """Read a name.

        Args:
            name: As ``name`` gives it.

        Returns:
            The point.

        Raises:
            InputError: It is no such name.
        """
        expected = "<kind>:<target>:<level>:<draw>, as this version writes it"
        parts = name.split(":")
        if len(parts) != 4 or parts[1] not in CORRUPTION_TARGETS.get(parts[0], ()):
            raise InputError("predictions", "corruption", name, expected)
        try:
            point = cls(Condition(parts[0], parts[1], float(parts[2])), int(parts[3]))
        except ValueError:
            raise InputError("predictions", "corruption", name, expected) from None
        if point.name != name:
            raise InputError("predictions", "corruption", name, point.name)
        return point


def grid_points(settings: CorruptionSettings) -> list[GridPoint]:
    """Return all points of a grid, in its order; what is not random is drawn once.

    Args:
        settings: The study's grid.

    Returns:
        The points.
    """
    conditions = [
        Condition(entry.kind, target, level)
        for entry in settings.grid
        for target in entry.targets
        for level in entry.levels
    ]
    return [
        GridPoint(condition, draw)
        for condition in conditions
        for draw in range(settings.draws if condition.is_random else 1)
    ]
