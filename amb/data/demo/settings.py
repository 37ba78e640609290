"""The demo's model of a label, and the coefficients that realise the asked shares of variance.

    y = scale · (a·s·z + b_a·e_a + b_v·e_v + c·ε)

s is the sentiment of the words, z = ±1 is sarcasm (−1 with probability p, visible in the face
only), e_a and e_v are vocal and facial emphasis, ε is noise. All have mean 0 and variance 1 (z
has E[z²] = 1) and are independent, so the best predictor of y from words alone is a·(1 − 2p)·s,
and the variance splits into

    text         a²·(1 − 2p)²          audio    b_a²
    interaction  a²·(1 − (1 − 2p)²)    visual   b_v²          noise    c²
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from amb.data.dataset import SPLITS
from amb.data.demo.sentences import sentiment_distribution
from amb.errors import InputError

LARGEST_LABEL = 3.0
# e_a, e_v and ε are uniform on ±√3: unit variance, and the label can be bounded without clipping.
HALF_WIDTH = math.sqrt(3)
SHARES = ("text", "audio", "visual", "interaction")


@dataclass(frozen=True)
class Coefficients:
    """The coefficients of the label model, and the factor that keeps labels in [-3, 3].

    Attributes:
        sentiment: a, of s·z.
        audio: b_a, of vocal emphasis.
        visual: b_v, of facial emphasis.
        noise: c, of ε.
        sarcasm: p, probability that z = −1.
        scale: Standard deviation of y: the largest that leaves every possible label in [-3, 3].
    """

    sentiment: float
    audio: float
    visual: float
    noise: float
    sarcasm: float
    scale: float


@dataclass(frozen=True)
class DemoSettings:
    """What a study says about the demo; see ``workflow/schemas/study.schema.yaml``.

    Attributes:
        seed: Seed of everything random.
        videos: Videos of each split.
        utterances_per_video: Utterances in each video.
        shares: Shares of the label's variance: text (above 0), audio, visual, interaction.
        feature_noise: Standard deviation of the noise on features, in units of the signal's.
    """

    seed: int
    videos: Mapping[str, int]
    utterances_per_video: int
    shares: Mapping[str, float]
    feature_noise: float = field(default=0.5)

    def __post_init__(self) -> None:
        _require(set(self.videos) == set(SPLITS), "videos", dict(self.videos), "train, valid, test")
        _require(min(self.videos.values()) >= 1, "videos", dict(self.videos), "at least 1 a split")
        _require(
            self.utterances_per_video >= 1,
            "utterances_per_video",
            self.utterances_per_video,
            "at least 1",
        )
        _require(set(self.shares) == set(SHARES), "shares", dict(self.shares), ", ".join(SHARES))
        _require(min(self.shares.values()) >= 0, "shares", dict(self.shares), "no negative share")
        _require(self.shares["text"] > 0, "shares.text", self.shares["text"], "a number above 0")
        total = math.fsum(self.shares.values())
        _require(total <= 1 + 1e-12, "shares", f"a sum of {total:g}", "a sum of 1 at most")
        _require(self.feature_noise >= 0, "feature_noise", self.feature_noise, "0 or more")

    def coefficients(self) -> Coefficients:
        """Solve the shares for the coefficients of the label model."""
        words = self.shares["text"] + self.shares["interaction"]
        noise_share = max(0.0, 1.0 - math.fsum(self.shares.values()))
        a, b_a, b_v, c = (
            math.sqrt(share)
            for share in (words, self.shares["audio"], self.shares["visual"], noise_share)
        )
        largest_s = float(abs(sentiment_distribution()[0]).max())
        return Coefficients(
            sentiment=a,
            audio=b_a,
            visual=b_v,
            noise=c,
            sarcasm=0.5 * (1.0 - math.sqrt(self.shares["text"] / words)),
            scale=LARGEST_LABEL / (a * largest_s + (b_a + b_v + c) * HALF_WIDTH),
        )


def _require(holds: bool, key: str, found: object, expected: str) -> None:
    if not holds:
        raise InputError("study", f"data.demo.{key}", found, expected)
