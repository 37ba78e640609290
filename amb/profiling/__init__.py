"""Where a training step's time goes, watched from outside while the training loop runs.

May import torch, ``amb.training``, ``model`` and ``data``. It stands apart from ``amb.training`` so
that an edit here makes no trained run stale.
"""
