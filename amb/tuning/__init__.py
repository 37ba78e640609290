"""The search for a row's recipe: the same budget for every row, on the validation split only.

May import torch, ``amb.training`` and what stands below it. A trial is a training run like any
other, so it cannot read test labels. Only ``storage`` imports Optuna, an optional dependency.
"""
