"""Run a script of this folder in the interpreter that has MMSA, and read what it wrote."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch


def run_in_mmsa(script, folder, *arguments):
    """Return the tensors that ``script OUT.npz *arguments`` wrote, by name."""
    python = os.environ.get("AMB_MMSA_PYTHON")
    if not python:
        pytest.skip("AMB_MMSA_PYTHON names no interpreter that has MMSA")
    out = folder / f"{script}.npz"
    command = [python, "-I", str(Path(__file__).with_name(f"{script}.py")), str(out), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    with np.load(out) as content:
        return {name: torch.from_numpy(content[name]) for name in content.files}


def weights_of(content, names):
    """Return the weights among ``content`` under our names, each prefix of ``names`` replaced."""
    weights = {}
    for name, value in content.items():
        if name.startswith("weights."):
            ours = name.removeprefix("weights.")
            for theirs, own in names.items():
                ours = ours.replace(theirs, own)
            weights[ours] = value
    return weights


def count(weights):
    """Return the number of values among the weights."""
    return sum(value.numel() for value in weights.values())
