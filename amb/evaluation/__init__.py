"""Predictions of frozen checkpoints, and the metrics of stored predictions.

``predictions``, ``metrics`` and their variants import no torch.
"""
