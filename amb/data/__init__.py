"""Data: readers of formats, the store, the contract it keeps, and batches.

Imports no model code.
"""
