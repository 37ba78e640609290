"""Predictions of frozen checkpoints, and the metrics of stored predictions.

``predictions`` and ``metrics`` import no torch.
"""
