"""Checkpoints: trainable parameters only, as safetensors, bound to the backbone they extend.

Of a fine-tuned word embedding the file holds the rows that training reached, with their ids (see
``seen_embedding``): the backbone has the others.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
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
        InputError: The file is damaged, the checkpoint extends another backbone, or its parameters
            are not the model's.
    """
    identity, tensors = _read(path)
    found = identity.get("backbone_sha256", "none")
    if found != backbone_sha256:
        raise InputError(path, "backbone_sha256", found, backbone_sha256)
    state = model.learned_state()
    partial = {name.removesuffix(IDS) for name in tensors if name.endswith(IDS)}
    stored = {name for name in tensors if not name.endswith((ROWS, IDS))}
    stored |= {f"{name}.weight" for name in partial}
    if stored != set(state):
        difference = sorted(stored ^ set(state))
        raise InputError(path, "parameters", difference[:5], "exactly the model's trainable ones")
    with torch.no_grad():
        for name in stored & tensors.keys():
            _require_shape(path, name, tensors[name], state[name].shape)
            state[name].copy_(tensors[name])
        for name in partial:
            _copy_rows(path, name, tensors, state[f"{name}.weight"])


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return a checkpoint's identity and its tensors."""
    try:
        with safe_open(path, framework="pt") as file:
            identity = json.loads((file.metadata() or {}).get("amb", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise InputError(path, "content", str(error)[:200], "a whole safetensors file") from error
    if not isinstance(identity, dict):
        raise InputError(path, "metadata amb", identity, "an object")
    return identity, tensors


def _copy_rows(path: Path, name: str, tensors: dict[str, Tensor], weight: Tensor) -> None:
    """Put the stored rows of a matrix (V, D) in their places."""
    ids, rows = tensors[name + IDS], tensors.get(name + ROWS, torch.empty(0))
    _require_shape(path, name + ROWS, rows, torch.Size([ids.numel(), weight.shape[1]]))
    inside = bool(((ids >= 0) & (ids < weight.shape[0])).all())
    if ids.dtype != torch.int64 or not inside:
        found = f"{ids.dtype}, {ids.tolist()[:5]} …"
        raise InputError(path, name + IDS, found, f"int64 in [0, {weight.shape[0]})")
    weight[ids.to(weight.device)] = rows.to(weight.device)


def _require_shape(path: Path, name: str, tensor: Tensor, shape: torch.Size) -> None:
    if tensor.shape != shape:
        raise InputError(path, f"shape of {name}", tuple(tensor.shape), str(tuple(shape)))
