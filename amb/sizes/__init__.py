"""How large every row of the tables is, from config alone: no weights are read, nothing is trained.

May import torch, ``amb.training``, ``model`` and ``data``; ``settings`` and ``counts`` import no
torch.
"""
