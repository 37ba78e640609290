"""The weights file of a saved model: what training changed, and nothing of the backbone.

Of a fine-tuned word embedding only the rows are kept that differ from the pretrained ones; the
layout is that of a run's checkpoint.

Notation: V vocabulary, D hidden size.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from amb.errors import InputError
from amb.files import sha256_of
from amb.inference.config import ModelConfig
from amb.model.backbone import Backbone
from amb.model.method import SentimentModel, find_builder
from amb.model.precision import set_precision
from amb.training.checkpoint import ROWS, load_checkpoint, save_checkpoint
from amb.training.seeds import seeded
from amb.training.seen_embedding import FULL, PARENT

EMBEDDING = f"{PARENT}.{FULL}"  # (V, D)
PRETRAINED = f"embeddings.{FULL}.weight"


def build(config: ModelConfig, backbone: Backbone, weights: Path, origin: Path) -> SentimentModel:
    """Build a model and load its learned weights.

    Args:
        config: The model's configuration.
        backbone: The backbone that it extends.
        weights: The file of learned weights.
        origin: The file that the configuration is from, for messages.

    Returns:
        The model, in evaluation mode, on the CPU.

    Raises:
        InputError: The builder is unknown, its options are wrong, or the weights do not fit.
    """
    try:
        with seeded("initialisation", 0):
            builder = find_builder(config.builder)
            model = builder(config.options, backbone, config.feature_shape())
    except InputError as error:
        if Path(error.file).exists():
            raise
        raise InputError(origin, error.field, error.found, error.expected) from error
    except (RuntimeError, ValueError, TypeError, ArithmeticError) as error:
        expected = f"options that builder {config.builder} can build from"
        raise InputError(origin, "options", config.options, expected, str(error)[:200]) from error
    if model.reads_labels:
        raise InputError(origin, "builder", config.builder, "a method that predicts without labels")
    set_precision(model, config.precision)
    load_checkpoint(weights, model, config.backbone_sha256)
    return model.eval()


def save(file: Path, model: SentimentModel, config: ModelConfig, backbone: Backbone) -> str:
    """Write a model's learned weights, atomically.

    Args:
        file: The ``.safetensors`` file.
        model: The model.
        config: Its configuration.
        backbone: The backbone that it extends.

    Returns:
        SHA-256 of the file.
    """
    state = model.learned_state()
    row_ids: dict[str, Tensor] = {}
    tuned = state.pop(f"{EMBEDDING}.weight", None)
    if tuned is not None:
        pretrained = backbone.weights()[PRETRAINED]
        changed = (tuned.cpu() != pretrained).any(1).nonzero().squeeze(1)
        state[EMBEDDING + ROWS] = tuned.cpu()[changed]
        row_ids[EMBEDDING + ROWS] = changed
    identity = {
        "backbone_sha256": config.backbone_sha256,
        "identity_sha256": config.run["identity_sha256"],
    }
    save_checkpoint(file, state, row_ids, identity)
    return sha256_of(file)
