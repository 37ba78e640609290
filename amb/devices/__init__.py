"""GPUs: which of them a process may use, and how the jobs of a machine share them.

Imports neither torch nor another package: a device must be chosen before torch starts CUDA. It
stands apart from ``amb.training`` so that an edit here makes no trained run stale.
"""
