"""AdamW and its learning rates, as a study's recipe says."""

from __future__ import annotations

import torch
from torch import Tensor

from amb.data.dataset import FRAME_MODALITIES
from amb.errors import InputError
from amb.model.method import SentimentModel
from amb.study import TrainingSettings


def build_optimiser(model: SentimentModel, settings: TrainingSettings) -> torch.optim.AdamW:
    """Return AdamW with one rate for each group of parameters.

    The study's ``group_learning_rates`` has the last word; a group that it does not name trains at
    the backbone's rate if it is the backbone, else at that of new parameters.
    Weight decay acts on matrices only; not on biases, norms and embeddings, so that the
    embedding of a word-piece that training never shows stays what pretraining made it.

    Args:
        model: The model.
        settings: The recipe.

    Returns:
        The optimiser.

    Raises:
        InputError: The recipe names a group of parameters that the model does not have.
    """
    named_groups = model.trainable_groups()
    for group in settings.group_learning_rates:
        # A preset may name a modality that these data lack; anything else is a mistake.
        if group not in named_groups and group not in FRAME_MODALITIES:
            allowed = f"one of {', '.join(named_groups)}"
            raise InputError("study", "training.group_learning_rates", group, allowed)
    rates = {"backbone": settings.backbone_learning_rate, **settings.group_learning_rates}
    groups = []
    for group, named in named_groups.items():
        for decays in (True, False):
            chosen = [p for name, p in named.items() if _decays(name, p) == decays]
            decay = settings.weight_decay if decays else 0.0
            if chosen:
                groups.append({"params": chosen, "lr": rates.get(group, settings.learning_rate)})
                groups[-1]["weight_decay"] = decay
    return torch.optim.AdamW(groups, fused=True)


def build_plateau(
    optimiser: torch.optim.Optimizer, settings: TrainingSettings
) -> torch.optim.lr_scheduler.ReduceLROnPlateau | None:
    """Return the schedule of the learning rates, None where they are constant."""
    if settings.plateau_factor == 1:
        return None
    return torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, factor=settings.plateau_factor, patience=settings.plateau_patience
    )


def _decays(name: str, parameter: Tensor) -> bool:
    return parameter.dim() >= 2 and "embeddings" not in name
