"""What is simulated: sizes of test sets, numbers of seeds, variance components and two nulls.

A *scenario* is one simulation: a test set, a set of variance components and the scope at which
the null is true. A *cell* is one rejection rate: a scenario, a number of seeds, a metric, a form of
contrast and a test. Numbers of seeds share draws: the first 3, 5, 10 of 20 seeds.

Notation: ``N`` utterances, ``G`` videos.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from amb.statistics.contrast import Form
from amb.statistics.scopes import SCOPES

SEEDS = (3, 5, 10, 20)
METRICS = ("mae", "corr", "acc7", "acc2_non0")
FORMS: tuple[Form, ...] = ("difference", "relative")
# Utterances and videos: a small set, the size of CMU-MOSI's test set, that of CMU-MOSEI's.
TEST_SETS = ((200, 10), (686, 31), (4659, 680))
GAMMA_SHAPE = 3.0  # of utterances a video: the middle four fifths span a factor of about five


@dataclass(frozen=True)
class Components:
    """Standard deviations of a method's own effects: on the log of its noise, and as an offset.

    The first moves a metric in proportion: 0.02 is a MAE that differs by about 2 % from seed to
    seed. The second, in units of the label, shifts predictions.

    Attributes:
        name: Name in tables.
        seed: Of a run.
        video: Of a video, the same in every run of the method.
        cell: Of a video in one run.
    """

    name: str
    seed: float
    video: float
    cell: float


# Seeds of the suite's MOSI study differ in MAE by 2 to 3 % (standard deviation).
COMPONENTS = (
    Components("balanced", seed=0.02, video=0.10, cell=0.05),
    Components("seeds dominate", seed=0.10, video=0.02, cell=0.02),
    Components("videos dominate", seed=0.01, video=0.25, cell=0.05),
    Components("cells dominate", seed=0.01, video=0.03, cell=0.25),
)


@dataclass(frozen=True)
class Scenario:
    """One simulation.

    Attributes:
        items: Number of utterances N.
        videos: Number of videos G.
        components: Variance components.
        null: The scope at which two methods are equal.
    """

    items: int
    videos: int
    components: Components
    null: str

    @property
    def name(self) -> str:
        """Return a name that is a file name too."""
        return f"{self.null}-{self.items}-{self.components.name.replace(' ', '_')}"


def all_scenarios() -> tuple[Scenario, ...]:
    """Return every scenario of the study, the most expensive first."""
    return tuple(
        Scenario(items, videos, components, null)
        for items, videos in sorted(TEST_SETS, reverse=True)
        for null in SCOPES
        for components in COMPONENTS
    )


@dataclass(frozen=True)
class Layout:
    """The videos of a test set: pairs of twins with equally many utterances, then one or two more.

    Attributes:
        sizes: (G,) utterances of every video; those of pair k stand at k and k + ``pairs``.
        pairs: Number of pairs.
    """

    sizes: NDArray[np.int64]
    pairs: int

    @property
    def starts(self) -> NDArray[np.int64]:
        """Return the place of every video's first utterance, (G,)."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    @property
    def video_of_item(self) -> NDArray[np.int64]:
        """Return the place of every utterance's video, (N,)."""
        return np.repeat(np.arange(self.sizes.size), self.sizes)

    def twin_videos(self) -> NDArray[np.int64]:
        """Return the place of every video's twin, (G,); a video without one is its own."""
        return _swap_halves(self.pairs, self.sizes.size)

    def twin_items(self) -> NDArray[np.int64]:
        """Return the place of every utterance's twin, (N,)."""
        return _swap_halves(int(self.sizes[: self.pairs].sum()), int(self.sizes.sum()))


def video_layout(items: int, videos: int) -> Layout:
    """Spread utterances over videos as unequally as in the field's test sets.

    Args:
        items: Number of utterances N.
        videos: Number of videos G, at least 3 and at most N.

    Returns:
        The layout; sizes follow the quantiles of 1 + a gamma distribution, so nothing is random.
    """
    pairs = (videos - 1) // 2
    quantiles = stats.gamma.ppf((np.arange(pairs) + 0.5) / pairs, GAMMA_SHAPE)
    mean = items / videos
    wanted = 1 + (mean - 1) * quantiles / quantiles.mean()
    paired = np.diff(np.rint(np.cumsum(wanted)), prepend=0).astype(np.int64)
    rest, single = items - 2 * int(paired.sum()), videos - 2 * pairs
    singles = np.full(single, rest // single)
    singles[: rest % single] += 1
    return Layout(np.concatenate([paired, paired, singles]), pairs)


def _swap_halves(half: int, size: int) -> NDArray[np.int64]:
    places = np.arange(size)
    return np.concatenate([places[half : 2 * half], places[:half], places[2 * half :]])
