"""How much choosing the epoch on the test set flatters, measured; feeds no table, figure or claim.

Stands beside everything: it may import any package, and only its own command imports it. It is the
only code besides ``amb.evaluation.predict`` that reads test labels.
"""
