"""Adapted Multimodal BERT: data, model, training engine, evaluation, statistics and reporting.

Imports point one way: ``reporting → statistics → evaluation → (training → model, data)``, and
``inference → evaluation``.
Nothing here imports Snakemake or a baseline; ``statistics`` and ``reporting`` import no torch, and
nor does this module: ``AmbForSentiment`` and ``Utterance`` are imported when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amb.inference.sentiment import AmbForSentiment
    from amb.inference.utterances import Utterance

__version__ = "0.1.0"
__all__ = ["AmbForSentiment", "Utterance"]


def __getattr__(name: str) -> Any:
    """Import the library's classes on first use."""
    if name == "AmbForSentiment":
        from amb.inference.sentiment import AmbForSentiment

        return AmbForSentiment
    if name == "Utterance":
        from amb.inference.utterances import Utterance

        return Utterance
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
