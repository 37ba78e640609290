"""Predictions of frozen checkpoints, and the metrics of stored predictions.

``predict`` writes ``predictions``, ``reading`` reads them, ``method_runs`` arranges them. All but
``predict`` and ``corruption`` import no torch.
"""
