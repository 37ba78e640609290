"""One training loop for every method, checkpoints, and the record of a run.

May import torch, ``amb.data`` and ``amb.model``.
"""
