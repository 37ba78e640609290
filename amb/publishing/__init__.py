"""Results made ready to hand on: a small reference to commit, and a bundle to publish.

Imports ``amb.verification`` and below, and no torch.
"""
