"""Checkpoints: trainable parameters only, as safetensors, bound to the backbone they extend.

Of a fine-tuned word embedding the file holds the rows that training reached, with their ids (see
``seen_embedding``): the backbone has the others.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from amb.errors import InputError
from amb.files import atomic_path
from amb.model.method import SentimentModel

ROWS = ".rows"
IDS = ".row_ids"


def save_checkpoint(
    path: Path, state: dict[str, Tensor], row_ids: dict[str, Tensor], identity: dict[str, Any]
) -> None:
    """Write trainable parameters atomically.

    Args:
        path: The ``.safetensors`` file.
        state: Parameters by name.
        row_ids: For parameters that are some rows of a matrix (``….rows``), which rows.
        identity: What makes the run this run; ``backbone_sha256`` must be among it.
    """
    ids = {name.removesuffix(ROWS) + IDS: rows for name, rows in row_ids.items()}
    tensors = {name: tensor.cpu().contiguous() for name, tensor in {**state, **ids}.items()}
    with atomic_path(path) as temporary:
        # One entry: safetensors writes several in no fixed order, and equal runs shall be equal
        # bytes.
        save_file(tensors, temporary, metadata={"amb": json.dumps(identity, sort_keys=True)})


def load_checkpoint(path: Path, model: SentimentModel, backbone_sha256: str) -> None:
    """Load a checkpoint into a freshly built model.

    Args:
        path: The ``.safetensors`` file.
        model: Built with the same options over the same backbone.
        backbone_sha256: Hash of the backbone that ``model`` was built on.

    Raises:
        InputError: The checkpoint extends another backbone, or its parameters are not the model's.
    """
    with safe_open(path, framework="pt") as file:
        identity = json.loads((file.metadata() or {}).get("amb", "{}"))
        found = identity.get("backbone_sha256", "none")
        if found != backbone_sha256:
            raise InputError(path, "backbone_sha256", found, backbone_sha256)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    state = model.learned_state()
    partial = {name.removesuffix(IDS) for name in tensors if name.endswith(IDS)}
    stored = {name for name in tensors if not name.endswith((ROWS, IDS))}
    stored |= {f"{name}.weight" for name in partial}
    if stored != set(state):
        difference = sorted(stored ^ set(state))
        raise InputError(path, "parameters", difference[:5], "exactly the model's trainable ones")
    with torch.no_grad():
        for name in stored & tensors.keys():
            state[name].copy_(tensors[name])
        for name in partial:
            weight = state[f"{name}.weight"]
            weight[tensors[name + IDS].to(weight.device)] = tensors[name + ROWS].to(weight.device)
