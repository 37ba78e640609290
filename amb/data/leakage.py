"""An alarm for features that were trained on the labels of (some) test videos.

A ridge probe predicts the labels from the utterance means of one feature block. Two tests look at
how well it does, and where:

Split test. Is the probe, fitted on the train split, better on the test split than it would be on
    other videos? The reference are splits drawn at random, whole videos, as many a split as in the
    real one. p = (1 + #{permuted ≥ observed}) / (B + 1) is exact where the videos could change
    splits. It cannot see leakage that is spread evenly over the splits.
Mixture test. Is the probe good in some videos and at chance in others? All utterances are predicted
    out of sample (folds of whole videos); the Fisher z of each video's correlation scatter with
    Cochran's Q about their mean, beyond sampling noise with the standard deviation τ of
    DerSimonian and Laird. Honest features differ between videos too. The reference therefore
    shuffles the utterances among the videos and adds a standard deviation of ``TAU_HONEST``:
    p asks whether the videos differ by more than that.

Silence proves little: neither test sees features that know the labels of every video equally well,
and both miss most leaks into few videos or into features that are strong without them. Features
that are missing or broken in part of the videos can trip the second: it says where to look, not who
is to blame. benchmarks/leakage_calibration.md has the measured rates.

Source: R. DerSimonian, N. Laird, Controlled Clinical Trials 7 (1986) 177, for τ; B. Phipson,
G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010) 39, for permutation p-values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amb.data.ragged import Sequences

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

ALPHA = 0.01
TAU_HONEST = 0.2
PENALTY = 10.0
Z_LIMIT = 10.0
FOLDS = 5
MIN_UTTERANCES = 8
MIN_VIDEOS = 20
# Deviations below this share of the values' size are rounding, and the values are constant.
ROUNDING = 1e-10
# Keeps the Fisher z of a video that is solved exactly finite.
MAX_CORRELATION = 0.9999


@dataclass(frozen=True)
class SplitTest:
    """The probe on the real split and on permuted ones.

    Attributes:
        train_score: Correlation of prediction and label on the train split, the probe's own.
        test_score: The same on the test split.
        permuted_score: Mean test score of the permuted splits and the real one.
        p: How rarely a permuted split does as well as the real one.
        smallest_p: What p can be at best, with so many permutations and so few videos.
    """

    train_score: float
    test_score: float
    permuted_score: float
    p: float
    smallest_p: float

    @property
    def gap(self) -> float:
        """Train score − test score."""
        return self.train_score - self.test_score


@dataclass(frozen=True)
class MixtureTest:
    """How much the probe's success differs between videos.

    Attributes:
        videos: Videos with enough utterances and a defined correlation.
        mean: Their mean correlation (through Fisher's z).
        tau: Standard deviation of z between videos, beyond sampling noise.
        q_over_df: Cochran's Q over its degrees of freedom; about 1 where all videos are alike.
        p: How rarely videos that differ by ``TAU_HONEST`` scatter as much.
    """

    videos: int
    mean: float
    tau: float
    q_over_df: float
    p: float


@dataclass(frozen=True)
class LeakageReport:
    """What the two tests say about a feature block; None where a test is not available.

    Attributes:
        split: None where a score is undefined: constant features or labels, a split without
            three utterances.
        mixture: None with fewer than ``MIN_VIDEOS`` usable videos.
    """

    split: SplitTest | None
    mixture: MixtureTest | None

    @property
    def alarm(self) -> bool:
        """Whether one of the tests has p ≤ ``ALPHA``."""
        return any(test is not None and test.p <= ALPHA for test in (self.split, self.mixture))

    @property
    def sentence(self) -> str:
        """What was seen and what it could mean, in plain words."""
        seen = f"{_split_words(self.split)} {_mixture_words(self.mixture)}"
        if self.alarm:
            return (
                f"Leakage alarm. {seen} Features that were trained on the labels of some of these "
                "videos look like this; features that are missing or broken in some videos can, "
                "too. Find out how they were made before using them."
            )
        if self.split is None and self.mixture is None:
            return f"Not tested for leakage. {seen}"
        return (
            f"No sign of leakage. {seen} "
            "Leakage into few videos, or into all alike, would not show."
        )


def _split_words(test: SplitTest | None) -> str:
    if test is None:
        return "A probe has no defined score on the train or the test split."
    words = (
        f"A probe of the train split correlates with the labels at {test.test_score:.2f} on the "
        f"test split, and at {test.permuted_score:.2f} on average over permuted splits "
        f"(p = {test.p:.3f})."
    )
    if test.smallest_p > ALPHA:
        words += f" This test cannot trip the alarm here: p is {test.smallest_p:.3f} at best."
    return words


def _mixture_words(test: MixtureTest | None) -> str:
    if test is None:
        return "There are too few usable videos to compare the probe's success between them."
    return (
        f"Its success differs between {test.videos} videos with a standard deviation of "
        f"{test.tau:.2f} (Fisher z) about a correlation of {test.mean:.2f}; up to {TAU_HONEST:.2f} "
        f"passes for honest (p = {test.p:.3f})."
    )


def utterance_means(sequences: Sequences) -> Floats:
    """Return the mean over the frames of each utterance, reading the frames once.

    Args:
        sequences: N sequences of d features.

    Returns:
        (N, d) float64. Values that are not finite count as 0; so does the mean of no frames.
    """
    lengths = np.asarray(sequences.lengths)
    ends = np.cumsum(lengths)
    sums = np.zeros((len(lengths), sequences.dimension))
    first = 0
    for chunk in sequences.chunks():
        if not len(chunk):
            continue
        owners = np.searchsorted(ends, np.arange(first, first + len(chunk)), side="right")
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        frames = np.where(np.isfinite(chunk), chunk, 0)
        sums[owners[starts]] += np.add.reduceat(frames, starts, axis=0, dtype=np.float64)
        first += len(chunk)
    return sums / np.maximum(lengths, 1)[:, None]


def probe_leakage(
    features: npt.ArrayLike,
    labels: npt.ArrayLike,
    videos: npt.ArrayLike,
    splits: npt.ArrayLike,
    rng: np.random.Generator,
    permutations: int = 500,
) -> LeakageReport:
    """Test one feature block for leaked labels.

    Args:
        features: One row an utterance, as ``utterance_means`` returns them (N, d).
        labels: (N,).
        videos: The video of each utterance (N,).
        splits: ``train``, ``valid`` or ``test`` (N,); a video is in one split.
        rng: Draws folds, permuted splits and shuffles.
        permutations: B of each test; with fewer than 99 no p can reach ``ALPHA``.

    Returns:
        The report.

    Raises:
        ValueError: Shapes do not match, a value is not finite, or a video is in two splits.
    """
    X, y = np.asarray(features, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    _, first, video = np.unique(np.asarray(videos), return_index=True, return_inverse=True)
    split = np.asarray(splits)
    _check(X, y, video, split)
    by_video = split[first]
    if np.any(by_video[video] != split):
        raise ValueError("a video is in two splits")
    return LeakageReport(
        split=_split_test(X, y, video, by_video, rng, permutations),
        mixture=_mixture_test(X, y, video, rng, permutations),
    )


def _check(X: Floats, y: Floats, video: Codes, split: npt.NDArray[np.str_]) -> None:
    if X.ndim != 2 or not len(X) == len(y) == len(video) == len(split) or y.ndim != 1:
        raise ValueError("features must be (N, d); labels, videos and splits (N,)")
    if not np.all(np.isfinite(X)):
        raise ValueError("features must be finite")
    if not np.all(np.isfinite(y)):
        raise ValueError("labels must be finite")


def ridge_predictions(train: Floats, labels: Floats, features: Floats) -> Floats:
    """Fit a ridge regression on train rows and predict others.

    Features become z-scores by the train rows' statistics, limited to ±``Z_LIMIT``. The intercept
    is free of the penalty.

    Args:
        train: (n, d).
        labels: (n,).
        features: Rows to predict (m, d).

    Returns:
        (m,).
    """
    mean, std = train.mean(axis=0), train.std(axis=0)
    std[std <= ROUNDING * np.abs(train).max(axis=0)] = 1
    X, others = (np.clip((rows - mean) / std, -Z_LIMIT, Z_LIMIT) for rows in (train, features))
    centre = X.mean(axis=0)
    X, y = X - centre, labels - labels.mean()
    n, d = X.shape
    if d <= n:
        weights = np.linalg.solve(X.T @ X + PENALTY * np.eye(d), X.T @ y)
    else:
        weights = X.T @ np.linalg.solve(X @ X.T + PENALTY * np.eye(n), y)
    return np.asarray((others - centre) @ weights + labels.mean())


def _split_test(
    X: Floats,
    y: Floats,
    video: Codes,
    split: npt.NDArray[np.str_],
    rng: np.random.Generator,
    permutations: int,
) -> SplitTest | None:
    """Compare the real split of the G videos, (G,), with permuted ones."""
    train, test = split == "train", split == "test"
    if min(train[video].sum(), test[video].sum()) < 3:
        return None
    train_score = _probe_score(X, y, train[video], train[video])
    test_score = _probe_score(X, y, train[video], test[video])
    if math.isnan(train_score) or math.isnan(test_score):
        return None
    orders = (rng.permutation(len(split))[video] for _ in range(permutations))
    permuted = np.array([_probe_score(X, y, train[order], test[order]) for order in orders])
    return SplitTest(
        train_score=train_score,
        test_score=test_score,
        permuted_score=float(np.nanmean([test_score, *permuted])),
        p=_p_value(permuted, test_score),
        smallest_p=max(1 / (permutations + 1), 1 / _possible_splits(split)),
    )


def _possible_splits(split: npt.NDArray[np.str_]) -> int:
    """Return in how many ways the G videos can be train, test or neither, as many each."""
    train, test = int(np.sum(split == "train")), int(np.sum(split == "test"))
    return math.comb(len(split), train) * math.comb(len(split) - train, test)


def _probe_score(
    X: Floats, y: Floats, train: npt.NDArray[np.bool_], rows: npt.NDArray[np.bool_]
) -> float:
    """Return the correlation on some rows of a probe fitted on others, NaN where undefined."""
    return _correlation(ridge_predictions(X[train], y[train], X[rows]), y[rows])


def _correlation(a: Floats, b: Floats) -> float:
    return float(correlations(a, b, np.zeros(len(a), dtype=np.intp))[0])


def _p_value(permuted: Floats, observed: float) -> float:
    """Return (1 + #{permuted ≥ observed}) / (B + 1); undefined values count against an alarm."""
    return float((1 + np.sum(~(permuted < observed))) / (len(permuted) + 1))


def correlations(a: Floats, b: Floats, group: Codes) -> Floats:
    """Return Pearson's correlation in each of G groups.

    Args:
        a: (N,).
        b: (N,).
        group: 0 … G − 1, each at least once (N,).

    Returns:
        (G,), NaN where a or b is constant.
    """
    a, b = _centred(a, group), _centred(b, group)
    products, aa, bb = (np.bincount(group, x) for x in (a * b, a * a, b * b))
    norm = np.sqrt(aa * bb)
    r: Floats = np.divide(products, norm, out=np.full(len(norm), np.nan), where=norm > 0)
    return r


def _centred(values: Floats, group: Codes) -> Floats:
    """Subtract each group's mean; what is left of a constant is exactly 0."""
    centred = values - (np.bincount(group, values) / np.bincount(group))[group]
    return np.where(np.abs(centred) > ROUNDING * np.abs(values).max(), centred, 0)


def _mixture_test(
    X: Floats, y: Floats, video: Codes, rng: np.random.Generator, permutations: int
) -> MixtureTest | None:
    """Compare the scatter of the videos' correlations with that of shuffled utterances."""
    usable = np.bincount(video) >= MIN_UTTERANCES
    if usable.sum() < MIN_VIDEOS:
        return None
    predicted = _out_of_sample(X, y, video, rng)
    usable &= np.isfinite(correlations(predicted, y, video))
    if usable.sum() < MIN_VIDEOS:
        return None
    rows = usable[video]
    _, group = np.unique(video[rows], return_inverse=True)
    a, b = (_standardised(values[rows], group) for values in (predicted, y))
    precision = np.bincount(group).astype(np.float64) - 3
    mean, tau, q = dersimonian_laird(_fisher_z(a, b, group), precision)
    shuffled = np.array(list(_shuffled_q(a, b, group, precision, rng, permutations)))
    return MixtureTest(
        videos=len(precision),
        mean=math.tanh(mean),
        tau=tau,
        q_over_df=q / (len(precision) - 1),
        p=_p_value(shuffled, q),
    )


def _out_of_sample(X: Floats, y: Floats, video: Codes, rng: np.random.Generator) -> Floats:
    """Predict every utterance by a probe that saw none of its fold of videos, (N,)."""
    fold = (rng.permutation(int(video.max()) + 1) % FOLDS)[video]
    predicted = np.empty(len(y))
    for k in range(FOLDS):
        held_out = fold == k
        predicted[held_out] = ridge_predictions(X[~held_out], y[~held_out], X[held_out])
    return predicted


def _standardised(values: Floats, group: Codes) -> Floats:
    """Give each group mean 0 and variance 1; no group is constant."""
    centred = _centred(values, group)
    variance = np.bincount(group, centred**2) / np.bincount(group)
    return np.asarray(centred / np.sqrt(variance)[group], dtype=np.float64)


def _fisher_z(a: Floats, b: Floats, group: Codes) -> Floats:
    """Return artanh of each group's correlation, (G,); undefined counts as 0."""
    r = np.nan_to_num(correlations(a, b, group))
    z: Floats = np.arctanh(np.clip(r, -MAX_CORRELATION, MAX_CORRELATION))
    return z


def _shuffled_q(
    a: Floats,
    b: Floats,
    group: Codes,
    precision: Floats,
    rng: np.random.Generator,
    permutations: int,
) -> Iterator[float]:
    """Yield Cochran's Q of shuffled utterances in videos that differ by ``TAU_HONEST``."""
    for _ in range(permutations):
        order = rng.permutation(len(a))
        z = _fisher_z(a[order], b[order], group)
        yield dersimonian_laird(z + TAU_HONEST * rng.standard_normal(len(z)), precision)[2]


def dersimonian_laird(z: Floats, precision: Floats) -> tuple[float, float, float]:
    """Split the scatter of estimates into sampling noise and real differences.

        Q = Σ wᵢ (zᵢ − z̄)²,  τ² = max(0, (Q − (k−1)) / (Σ wᵢ − Σ wᵢ² / Σ wᵢ))

    Args:
        z: k estimates (k,).
        precision: wᵢ, one over the sampling variance of each (k,).

    Returns:
        The weighted mean z̄, τ and Q.
    """
    total = precision.sum()
    mean = float(precision @ z / total)
    q = float(precision @ np.square(z - mean))
    excess = (q - (len(z) - 1)) / float(total - precision @ precision / total)
    return mean, math.sqrt(max(0.0, excess)), q
