"""AMB read top to bottom: BERT over packed tokens, adapter, audio-visual encoder, fusion layer.

May import torch and ``amb.data``.
"""
