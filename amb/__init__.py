"""Adapted Multimodal BERT: data, model, training engine, evaluation, statistics and reporting.

Imports point one way: ``reporting → statistics → evaluation → (training → model, data)``.
Nothing here imports Snakemake or a baseline; ``statistics`` and ``reporting`` import no torch.
"""

__version__ = "0.1.0"
