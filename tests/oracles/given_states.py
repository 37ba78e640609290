"""A backbone that computes nothing, for oracles that compare what comes after BERT."""

from types import SimpleNamespace

import torch


class GivenStates(torch.nn.Module):
    """Stands for the backbone: hands over given states (B, L, D)."""

    def __init__(self, states):
        super().__init__()
        self.states = states
        self.shape = SimpleNamespace(hidden_size=states.shape[-1])

    def forward(self, token_ids, layout):
        return layout.pack(self.states)
