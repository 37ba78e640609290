"""Write what MMSA's own TFN, LMF or MISA computes; runs where MMSA is installed.

python mmsa_fusion_models.py MODEL INPUTS.npz OUT.npz

INPUTS holds text states, their mask, audio and visual frames and labels of a batch in MOSI's
dimensions. OUT holds the initial state, outputs, gradients and MISA's loss terms, and the number
of parameters and the configuration of each data set. No BERT is loaded: MISA's text encoder gives
the states of INPUTS.
"""

import importlib
import json
import sys
from types import SimpleNamespace

import numpy as np
import torch
from MMSA.config import get_config_regression

DATASETS = ("mosi", "mosei", "sims")
GAIN = 2.0


class GivenStates(torch.nn.Module):
    """Stands in for BERT: the text states of the inputs, whatever the tokens."""

    states = None

    def __init__(self, **_):
        super().__init__()

    def forward(self, text):
        return self.states


def build(model, dataset):
    args = get_config_regression(model, dataset)
    args.update(train_mode="regression", device="cpu")
    module = importlib.import_module(f"MMSA.models.singleTask.{model.upper()}")
    module.BertTextEncoder = GivenStates
    torch.manual_seed(7)
    return getattr(module, model.upper())(args), args


def arguments(model, inputs):
    """Return what MMSA's loader would hand over: means of frames for TFN and LMF."""
    if model != "misa":
        means = (inputs[m].mean(1, keepdim=True) for m in ("audio", "visual"))
        return (inputs["text"], *means)
    GivenStates.states = inputs["text"]
    mask = inputs["mask"]
    tokens = torch.stack([torch.zeros_like(mask), mask, torch.zeros_like(mask)], dim=1)
    return tokens, inputs["audio"], inputs["visual"]


def misa_terms(net, args, output, labels):
    """Return the terms of MISA's loss, by MMSA's own trainer."""
    trainer = importlib.import_module("MMSA.trains.singleTask.MISA").MISA(args)
    trainer.model = SimpleNamespace(Model=net)
    return {
        "task": trainer.criterion(output, labels.view(-1, 1)),
        "difference": trainer.get_diff_loss(),
        "similarity": trainer.get_cmd_loss(),
        "reconstruction": trainer.get_recon_loss(),
    }


def total_loss(model, terms, args, output):
    if model != "misa":
        return output.sum()
    weights = (("difference", "diff"), ("similarity", "sim"), ("reconstruction", "recon"))
    return terms["task"] + sum(args[f"{key}_weight"] * terms[name] for name, key in weights)


def computed(model, inputs):
    net, args = build(model, "mosi")
    with torch.no_grad():  # as it starts, it gives all utterances nearly the same output
        for parameter in net.parameters():
            parameter.mul_(GAIN if parameter.dim() >= 2 else 1)
    content = {f"state.{name}": value.clone() for name, value in net.state_dict().items()}
    handed = arguments(model, inputs)
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    if model != "misa":  # its transformer's attention would drop out
        content["output.train"] = net.train()(*handed)["M"].view(-1)
    output = net.eval()(*handed)["M"]
    content["output.eval"] = output.view(-1)
    terms = misa_terms(net, args, output, inputs["labels"]) if model == "misa" else {}
    content.update({f"term.{name}": value for name, value in terms.items()})
    total_loss(model, terms, args, output).backward()
    for name, parameter in net.named_parameters():
        if parameter.grad is not None:
            content[f"gradient.{name}"] = parameter.grad
    return {name: value.detach().numpy() for name, value in content.items()}


def sizes(model, dataset):
    """Return the number of parameters by name, and the configuration."""
    net, args = build(model, dataset)
    counts = {name: p.numel() for name, p in net.named_parameters()}
    plain = {k: v for k, v in args.items() if isinstance(v, (bool, int, float, str, list))}
    return {"counts": counts, "config": plain}


if __name__ == "__main__":
    model, inputs, out = sys.argv[1:]
    with np.load(inputs) as arrays:
        content = computed(model, {name: torch.from_numpy(arrays[name]) for name in arrays})
    content["sizes"] = np.array(json.dumps({d: sizes(model, d) for d in DATASETS}))
    np.savez(out, **content)
