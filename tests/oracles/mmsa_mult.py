"""Write what MMSA's MulT computes for utterances one by one, and its weights.

python mmsa_mult.py OUT.npz positions|plain

Runs where MMSA is installed. MMSA leaves the positions off; ``positions`` puts MulT's own, which
MMSA keeps in its sources, back. Each utterance goes in alone, so that nothing is padded.
"""

import functools
import sys
from types import SimpleNamespace

import MMSA.models.singleTask  # noqa: F401
import numpy as np
import torch

ARGUMENTS = SimpleNamespace(
    use_bert=False,
    train_mode="regression",
    feature_dims=(10, 5, 7),
    dst_feature_dim_nheads=(15, 3),
    nlevels=2,
    attn_dropout=0.3,
    attn_dropout_a=0.2,
    attn_dropout_v=0.1,
    relu_dropout=0.1,
    embed_dropout=0.2,
    res_dropout=0.1,
    output_dropout=0.5,
    text_dropout=0.5,
    attn_mask=True,
    conv1d_kernel_size_l=3,
    conv1d_kernel_size_a=1,
    conv1d_kernel_size_v=5,
)
LENGTHS = {"text": (7, 11, 3), "audio": (20, 6, 13), "visual": (5, 8, 17)}


def padded(sequences):
    longest = max(len(s) for s in sequences)
    return torch.stack(
        [torch.cat([s, s.new_zeros(longest - len(s), s.shape[1])]) for s in sequences]
    )


def main(out, positions):
    module = sys.modules["MMSA.models.singleTask.MULT"]  # a class of the package hides it
    if positions == "positions":
        encoder = module.TransformerEncoder
        module.TransformerEncoder = functools.partial(encoder, position_embedding=True)
    torch.manual_seed(5)
    model = module.MULT(ARGUMENTS).eval()
    sequences = {
        m: [torch.randn(length, d) for length in LENGTHS[m]]
        for m, d in zip(LENGTHS, ARGUMENTS.feature_dims, strict=True)
    }
    with torch.no_grad():
        alone = [
            model(*(s[None] for s in utterance))
            for utterance in zip(*sequences.values(), strict=True)
        ]
    content = {f"weights.{name}": value for name, value in model.state_dict().items()}
    content |= {m: padded(own) for m, own in sequences.items()}
    content["prediction"] = torch.cat([one["M"] for one in alone]).squeeze(-1)
    content["joint"] = torch.cat([one["Feature_f"] for one in alone])
    np.savez(out, **{name: value.numpy() for name, value in content.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
