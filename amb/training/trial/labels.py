"""A method is never shown what it is to predict: no test labels, and no labels in ``forward``."""

from __future__ import annotations

import torch

from amb.data.batches import Batch
from amb.model.method import SentimentModel
from amb.source_graph import ROOT, files_behind, imported_files
from amb.study import KNOWN_BUILDERS
from amb.training.trial.accused import Accused
from amb.training.trial.predictions import differ, require_predictions

FIREWALL = ROOT / "amb" / "data" / "firewall.py"


def require_no_way_to_test_labels(accused: Accused) -> None:
    """Refuse a method that could see labels of the test split.

    Args:
        accused: The method.

    Raises:
        InputError: Its file, or one that it imports, imports what reads those labels.
    """
    imported = [file.as_posix() for file in imported_files(accused.path)]
    if FIREWALL in files_behind(imported):
        raise accused.fault(
            "imports",
            "amb.data.firewall, by itself or by what it imports",
            "no way to the labels of the test split",
            "Only `amb evaluate` opens them; a method learns from batch.labels, in loss()",
        )


def require_blind(accused: Accused, model: SentimentModel) -> None:
    """Refuse a class that asks to be shown labels.

    Args:
        accused: The method.
        model: As it was built.

    Raises:
        InputError: ``reads_labels`` is set, and this is not the control that has it.
    """
    if model.reads_labels and accused.builder not in KNOWN_BUILDERS:
        raise accused.fault(
            f"{type(model).__name__}.reads_labels",
            True,
            "False",
            "It would be shown the labels of the test split; only the control label_oracle is",
        )


def require_labels_unread(accused: Accused, model: SentimentModel, batch: Batch) -> None:
    """Check that predictions do not depend on labels, in evaluation and in training.

    Args:
        accused: The method.
        model: The model; it is left in training mode.
        batch: B labelled utterances.

    Raises:
        InputError: They do, or ``forward`` fails without labels.
    """
    assert batch.labels is not None, "a labelled batch is needed"
    for training in (False, True):
        model.train(training)
        outcomes = []
        for labels in (None, batch.labels, -batch.labels - 1):
            with torch.random.fork_rng(), torch.no_grad():
                torch.manual_seed(0)  # the same dropout each time
                outcomes.append(require_predictions(accused, model, batch, labels))
        if any(differ(model, other, outcomes[0]) for other in outcomes[1:]):
            mode = "training" if training else "evaluation"
            raise accused.fault(
                "forward",
                f"predictions that change with batch.labels, in {mode} mode",
                "predictions from words and features alone",
                "Labels belong into loss(batch); where a model predicts there are none",
            )
