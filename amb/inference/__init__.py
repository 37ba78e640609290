"""Trained models as a library: load one from a run or a saved folder, predict, save, export.

May import torch and everything left of it: ``amb.evaluation``, ``training``, ``model``, ``data``.
"""
