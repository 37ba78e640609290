"""Blocks come in mirrored pairs."""

import pytest

from amb.timing.order import mirrored_order


@pytest.mark.parametrize(("pairs", "sides"), [(1, "ab"), (2, "abba"), (5, "abbaabbaab")])
def test_pairs_are_mirrored_and_both_rows_come_first_equally_often(pairs, sides):
    order = mirrored_order(pairs)
    assert "".join(block.side for block in order) == sides
    assert [block.place for block in order] == list(range(2 * pairs))
    for pair in range(pairs):
        assert {block.side for block in order if block.pair == pair} == {"a", "b"}


def test_a_linear_drift_cancels_over_two_pairs():
    differences = dict.fromkeys(range(4), 0)
    for block in mirrored_order(4):
        differences[block.pair] += block.place * (1 if block.side == "b" else -1)
    assert sum(differences.values()) == 0
