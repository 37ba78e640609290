"""The metrics of the field by the code that computes them: named, versioned variants.

Codes give one name to several definitions, and published numbers inherit that. A variant is what
one code computes; all of them are computed from the same stored predictions. ``mmsa`` is the
suite's own. A variant's version is raised when one of its definitions changes, so that a number
with name and version says how it was made; a test holds each version to its values.

The sources were read at the commits named; what they leave open is settled here:

- ``mult``, ``mmlatch``: their ``f1_score`` is called with the predictions in the place of the
  truth. That swaps the weights of the two classes and nothing else.
- ``mult``: zeros are left out, because its ``train.py`` passes ``exclude_zero=True``.
- ``mmlatch``: of its two functions the one that its ``run.py`` calls for the test split.
- ``mag``: computes no Acc-7 and no Acc-5. An earlier version of that file did, and did not drop
  y = 0 from MAE and Corr; this is the later one, with the default ``use_zero=False`` under which
  its training loop calls it.
- ``cmu_sdk``: a page of documentation, not code. It defines classes of a value and no MAE, Corr or
  F1. We bin predictions as labels are, and call p = 0 not positive where zero labels are left out.
- ``sims``: MMSA's metrics for CH-SIMS, whose labels lie in [−1, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from amb.evaluation import metrics as mmsa
from amb.evaluation import variant_metrics as other
from amb.evaluation.metrics import Floats

MetricFunction = Callable[[ArrayLike, ArrayLike], Floats]

FAMILIES = ("Acc-2", "F1", "Acc-7", "Acc-5", "Acc-3", "MAE", "Corr")


@dataclass(frozen=True)
class VariantMetric:
    """One metric of one variant.

    Attributes:
        name: Its key within the variant.
        family: Under what name papers report it, one of ``FAMILIES``.
        definition: What it is, in a line.
        function: ``(labels (N,), predictions (S, N)) -> (S,)``; metrics with the same function are
            the same definition.
    """

    name: str
    family: str
    definition: str
    function: MetricFunction

    @property
    def higher_is_better(self) -> bool:
        """Direction of a gain."""
        return self.family != "MAE"

    def __call__(self, labels: ArrayLike, predictions: ArrayLike) -> Floats:
        """Return the metric of every run, (S,)."""
        return self.function(labels, predictions)


@dataclass(frozen=True)
class MetricVariant:
    """What one code computes.

    Attributes:
        name: Key in files and on the command line.
        version: Raised when a definition changes.
        source: The repository and file that the definitions were read off, and at which commit.
        metrics: Its metrics by name.
        label_limit: It is for data whose labels lie within ± this; None: for any labels.
    """

    name: str
    version: int
    source: str
    metrics: dict[str, VariantMetric]
    label_limit: float | None = None

    def applies_to(self, labels: ArrayLike) -> bool:
        """Return whether the labels lie where the variant's bins are."""
        return self.label_limit is None or bool(
            np.all(np.abs(np.asarray(labels)) <= self.label_limit)
        )


def _named(metrics: Iterable[VariantMetric]) -> dict[str, VariantMetric]:
    return {metric.name: metric for metric in metrics}


MAE = VariantMetric("mae", "MAE", "mean |p − y|, all items", mmsa.mae)
CORR = VariantMetric("corr", "Corr", "Pearson, all items", mmsa.corr)
ACC7 = VariantMetric(
    "acc7", "Acc-7", "round(clip(p, ±3)) = round(clip(y, ±3)), half to even", mmsa.acc7
)
ACC5 = VariantMetric(
    "acc5", "Acc-5", "round(clip(p, ±2)) = round(clip(y, ±2)), half to even", mmsa.acc5
)
ACC2_HAS0 = VariantMetric(
    "acc2_has0", "Acc-2", "(p ≥ 0) = (y ≥ 0), all items: zeros are positive", mmsa.acc2_has0
)
ACC2_NON0 = VariantMetric(
    "acc2_non0", "Acc-2", "(p > 0) = (y > 0), items with y ≠ 0", mmsa.acc2_non0
)
F1_NON0_SWAPPED = VariantMetric(
    "f1_non0",
    "F1",
    "weighted F1 of acc2_non0, weights from the predictions",
    other.f1_non0_swapped,
)

_VARIANTS = (
    MetricVariant(
        "mmsa",
        version=1,
        source="thuiar/MMSA src/MMSA/utils/metricsTop.py at 177bc04, MOSI and MOSEI",
        metrics=_named(
            (
                ACC2_HAS0,
                ACC2_NON0,
                VariantMetric("f1_has0", "F1", "weighted F1 of acc2_has0", mmsa.f1_has0),
                VariantMetric("f1_non0", "F1", "weighted F1 of acc2_non0", mmsa.f1_non0),
                ACC7,
                ACC5,
                MAE,
                CORR,
            )
        ),
    ),
    MetricVariant(
        "mult",
        version=1,
        source="yaohungt/Multimodal-Transformer src/eval_metrics.py at 029afeb",
        metrics=_named((ACC2_NON0, F1_NON0_SWAPPED, ACC7, ACC5, MAE, CORR)),
    ),
    MetricVariant(
        "mag",
        version=1,
        source="WasifurRahman/BERT_multimodal_transformer multimodal_driver.py at cb12395",
        metrics=_named(
            (
                VariantMetric(
                    "acc2_non0",
                    "Acc-2",
                    "(p ≥ 0) = (y ≥ 0), items with y ≠ 0",
                    other.acc2_non0_from_zero,
                ),
                VariantMetric(
                    "f1_non0", "F1", "weighted F1 of mag's acc2_non0", other.f1_non0_from_zero
                ),
                VariantMetric("mae_non0", "MAE", "mean |p − y|, items with y ≠ 0", other.mae_non0),
                VariantMetric("corr_non0", "Corr", "Pearson, items with y ≠ 0", other.corr_non0),
            )
        ),
    ),
    MetricVariant(
        "mmlatch",
        version=1,
        source="georgepar/mmlatch mmlatch/mosei_metrics.py at 25a20b5",
        metrics=_named(
            (
                ACC2_HAS0,
                ACC2_NON0,
                VariantMetric(
                    "acc2_neg0",
                    "Acc-2",
                    "(p > 0) = (y > 0), all items: zeros are negative",
                    other.acc2_neg0,
                ),
                VariantMetric(
                    "f1_has0",
                    "F1",
                    "weighted F1 of acc2_has0, weights from the predictions",
                    other.f1_has0_swapped,
                ),
                F1_NON0_SWAPPED,
                VariantMetric(
                    "f1_neg0",
                    "F1",
                    "weighted F1 of acc2_neg0, weights from the predictions",
                    other.f1_neg0_swapped,
                ),
                ACC7,
                ACC5,
                MAE,
                CORR,
            )
        ),
    ),
    MetricVariant(
        "cmu_sdk",
        version=1,
        source="CMU-MultiComp-Lab/CMU-MultimodalSDK "
        "mmsdk/mmdatasdk/dataset/standard_datasets/CMU_MOSEI/README.md at 3e27d37",
        metrics=_named(
            (
                ACC2_HAS0,
                ACC2_NON0,
                VariantMetric(
                    "acc7",
                    "Acc-7",
                    "same bin of 0, (0, 1], (1, 2], above 2, and mirrored: 0 is hit by 0 alone",
                    other.acc7_outward,
                ),
            )
        ),
    ),
    MetricVariant(
        "sims",
        version=1,
        source="thuiar/MMSA src/MMSA/utils/metricsTop.py at 177bc04, SIMS",
        metrics=_named(
            (
                VariantMetric("acc2", "Acc-2", "same bin of [−1, 0], (0, 1]", other.acc2_sims),
                VariantMetric("f1", "F1", "weighted F1 of sims' acc2", other.f1_sims),
                VariantMetric(
                    "acc3",
                    "Acc-3",
                    "same bin, cut at ±0.1, a cut in the lower bin",
                    other.acc3_sims,
                ),
                VariantMetric(
                    "acc5",
                    "Acc-5",
                    "same bin, cut at ±0.1 and ±0.7, a cut in the lower bin",
                    other.acc5_sims,
                ),
                VariantMetric("mae", "MAE", "mean |p − y|, both clipped at ±1", other.mae_clipped1),
                VariantMetric("corr", "Corr", "Pearson, both clipped at ±1", other.corr_clipped1),
            )
        ),
        label_limit=1.0,
    ),
)
VARIANTS: dict[str, MetricVariant] = {variant.name: variant for variant in _VARIANTS}
