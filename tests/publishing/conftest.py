"""A results folder that verifies, and copies of it."""

from simulated_results import pristine, results

__all__ = ["pristine", "results"]
