"""Results of several machines joined into one folder; nothing in them is believed unchecked.

May import ``amb.verification``, ``amb.statistics`` and ``amb.evaluation``, and no torch.
"""
