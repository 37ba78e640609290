"""Tables, figures and claims as people read them. Rounding happens here and only here.

Imports ``amb.statistics`` and no torch.
"""
