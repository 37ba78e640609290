"""A results folder that verifies, and copies of it to tamper with."""

from simulated_results import pristine, results

__all__ = ["pristine", "results"]
