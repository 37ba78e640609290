"""What tests of the statistics share."""

import pytest


@pytest.fixture
def predictions(simulate):
    """Three methods with different seeds and numbers of seeds."""
    return simulate(
        {"zeta": (5, 4, 0.7), "amb": (11, 5, 0.5), "late": (3, 3, 1.3)}, seed_spread=0.03
    )
