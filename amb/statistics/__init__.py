"""From stored predictions to effects, intervals, adjusted p-values and verdicts.

Pure functions; imports ``amb.evaluation`` (metrics, predictions) and no torch.
"""
