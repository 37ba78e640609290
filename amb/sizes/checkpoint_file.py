"""How many bytes a checkpoint has, without writing it.

A safetensors file is the length of its header (8 bytes), the header (JSON, filled up with spaces to
a multiple of 8 bytes) and the tensors. ``amb.training.checkpoint`` puts what makes the run this
run into the header.

Source: the format of safetensors, https://github.com/huggingface/safetensors#format; the order of
the tensors, which decides the digits of their offsets, is that of its own writer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

TYPES = {torch.int64: "I64", torch.float32: "F32"}  # those of a checkpoint
ALIGNMENT = 8


def checkpoint_bytes(state: Mapping[str, Tensor], identity: Mapping[str, Any]) -> int:
    """Return the size of the file that ``save_checkpoint`` would write.

    Args:
        state: What it would hold by name; shapes and types are enough.
        identity: What makes the run this run.

    Returns:
        Bytes.
    """
    header = json.dumps(_header(state, identity), separators=(",", ":"), ensure_ascii=False)
    length = len(header.encode())
    return ALIGNMENT + length + -length % ALIGNMENT + sum(t.nbytes for t in state.values())


def specimen_identity(row: str) -> dict[str, Any]:
    """Return the identity that a run of a row would have in a study called ``mosei``, seed 1111.

    Another study's or row's name moves the size by the difference of their lengths.
    """
    sha256 = "0" * 64
    return {
        "study": "mosei",
        "method": row,
        "seed": 1111,
        "config_sha256": sha256,
        "store_sha256": sha256,
        "backbone_sha256": sha256,
        "tokenizer_sha256": sha256,
        "source_sha256": sha256,
        "identity_sha256": sha256,
    }


def _header(state: Mapping[str, Tensor], identity: Mapping[str, Any]) -> dict[str, Any]:
    header: dict[str, Any] = {"__metadata__": {"amb": json.dumps(identity, sort_keys=True)}}
    start = 0
    for name in sorted(state, key=lambda name: (-state[name].element_size(), name)):
        tensor = state[name]
        end = start + tensor.nbytes
        header[name] = {
            "dtype": TYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
        start = end
    return header
