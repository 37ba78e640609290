"""How long a training step takes: two rows, timed in interleaved blocks on one machine.

May import torch, ``amb.training``, ``model`` and ``data``. It stands apart from ``amb.training`` so
that an edit here makes no trained run stale.
"""
