"""How exactly a model multiplies: float32, or BERT in bfloat16.

``bf16`` is mixed precision for the encoder, where nearly all products are: those of BERT's linear
maps and of its attention read and return bfloat16. Weights that train stay float32 and are rounded
for each step (they, their gradients and their moments are never bfloat16); frozen ones are rounded
once. Layer norms, softmax, residual sums, the cache of what has been read, adapters, fusion,
recurrent layers, heads and losses stay float32, so a prediction is never one of bfloat16's few
numbers. Rows without a BERT are the same in both.
"""

from __future__ import annotations

from functools import cache

import torch

from amb.model.bert import BertEncoder, BertLayer
from amb.model.method import SentimentModel

FLOAT32, BF16 = "float32", "bf16"


def set_precision(model: SentimentModel, precision: str) -> None:
    """Make a freshly built model multiply as a recipe says.

    Args:
        model: Changed in place.
        precision: ``float32`` or ``bf16``.
    """
    if precision == BF16:
        for module in model.modules():
            if isinstance(module, BertEncoder):
                module.multiply_in_bf16()


def precision_of(model: SentimentModel) -> str:
    """Return what ``set_precision`` made of a model: ``float32`` or ``bf16``."""
    rounded = any(isinstance(module, BertLayer) and module.bf16 for module in model.modules())
    return BF16 if rounded else FLOAT32


def use_matmul_precision(wanted: str, device: torch.device) -> str:
    """Choose torch's kernels for float32 products in this process.

    ``high`` and ``medium`` allow faster ones. On most CPUs these are still float32; on those with
    AMX they would round to bfloat16, and one study would be float32 on one machine and less on the
    next. So there they are not used, and bfloat16 is had by asking for it.

    Args:
        wanted: As ``torch.set_float32_matmul_precision`` takes it.
        device: Where the products are; on a GPU the setting allows TF32.

    Returns:
        What was chosen.
    """
    exact = device.type != "cpu" or not _rounds(wanted)
    torch.set_float32_matmul_precision(wanted if exact else "highest")
    return torch.get_float32_matmul_precision()


@cache
def _rounds(precision: str) -> bool:
    """Whether this CPU rounds float32 factors under a setting of torch's."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        fine = torch.full((64, 64), 1 + 2.0**-12)  # bfloat16 has 8 bits, TF32 11
        return not torch.equal(fine @ torch.eye(64), fine)
    finally:
        torch.set_float32_matmul_precision(before)
