"""Write what MMSA's MAG-BERT computes, and its weights; runs where MMSA is installed.

python mmsa_mag_bert.py OUT.npz

A random BERT of two layers stands for the pretrained one. What MMSA's class calls and transformers
5 no longer has is given back as transformers 4 had it; BERT's pooler, which has no counterpart
here, hands [CLS] on as it is.
"""

import sys
from types import SimpleNamespace

import MMSA.models.singleTask  # noqa: F401
import numpy as np
import torch
from transformers import BertConfig

SHAPE = {
    "vocab_size": 99,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
ARGUMENTS = SimpleNamespace(feature_dims=(32, 5, 7), beta_shift=0.8, dropout_prob=0.3, device="cpu")
LENGTHS = (9, 4, 6)


def extended_mask(self, mask, shape, device):
    return (1.0 - mask[:, None, None, :]) * torch.finfo(torch.float32).min


def build():
    module = sys.modules["MMSA.models.singleTask.BERT_MAG"]  # a class of the package hides it
    for cls in (module.MAG_BertModel, module.MAG_BertForSequenceClassification):
        cls.init_weights = lambda self: None
        cls.get_extended_attention_mask = extended_mask
        cls.get_head_mask = lambda self, mask, layers: None
    config = BertConfig(num_labels=1, attn_implementation="eager", **SHAPE)
    return module.MAG_BertForSequenceClassification(config, ARGUMENTS).eval()


def main(out):
    torch.manual_seed(3)
    model = build()
    mask = (torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]).float()
    ids = torch.randint(5, 99, mask.shape) * mask.long()
    audio, visual = (torch.randn(*mask.shape, d) for d in ARGUMENTS.feature_dims[1:])
    audio[:, 0] = visual[:, 0] = 0  # [CLS] has no frame
    with torch.no_grad():
        states = model.bert(ids, visual, audio, attention_mask=mask)[0]
        model.bert.pooler = torch.nn.Identity()
        model.bert.pooler.forward = lambda states: states[:, 0]
        prediction = model(ids, visual, audio, attention_mask=mask)[0]
    content = {f"weights.{name}": value.numpy() for name, value in model.state_dict().items()}
    inputs = {"ids": ids, "mask": mask, "audio": audio, "visual": visual}
    outputs = {"states": states, "prediction": prediction}
    content |= {name: value.numpy() for name, value in {**inputs, **outputs}.items()}
    np.savez(out, **content)


if __name__ == "__main__":
    main(sys.argv[1])
