"""A method tried on a small batch: each ``require_…`` looks for one fault, and explains it.

An error names the method's file, what was found, what was expected and what to do, so that a
fault shows in seconds and not after the training. ``amb.training.check`` calls them in turn.
"""
