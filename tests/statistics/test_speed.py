"""Timings: a ratio of times from pairs of blocks, and what is no timing."""

import copy
import math

import numpy as np
import pytest
from scipy import stats

from amb.errors import InputError
from amb.files import write_json
from amb.statistics.speed import Timing, log_ratio_of_gain, read_timings, speed_test
from amb.statistics.verdict import family_verdicts, ordering_p_values

RECORD = {
    "a": "amb",
    "b": "finetuned_fusion",
    "hardware": {"type": "cpu", "name": "A processor"},
    "threads": 1,
    "precision": {"a": "medium", "b": "high"},
    "steps": 10,
    "blocks": [
        {"pair": 0, "side": "a", "seconds": 1.0, "utterances": 10},
        {"pair": 0, "side": "b", "seconds": 4.0, "utterances": 20},
        {"pair": 1, "side": "b", "seconds": 3.0, "utterances": 10},
        {"pair": 1, "side": "a", "seconds": 1.0, "utterances": 10},
    ],
}


def timing(pairs):
    return Timing("amb", "b", "A processor", 1, ("medium", "medium"), 10, tuple(pairs))


def test_the_effect_is_the_mean_log_ratio_over_pairs():
    """Ratios 2, 2, 4: logs 0.6931, 0.6931, 1.3863; mean 0.9242, s/√3 = 0.2310, t.975(2) 4.3027."""
    effect = speed_test(timing([(1, 2), (3, 6), (0.5, 2)]))
    assert effect.estimate == pytest.approx(0.92420, abs=1e-5)
    assert effect.ci_low == pytest.approx(0.92420 - 4.30265 * 0.23105, abs=1e-4)
    assert effect.test == "paired t over 3 pairs of timing blocks"
    p = stats.ttest_1samp(np.log([2, 2, 4]), 0).pvalue
    assert effect.p == pytest.approx(p)


def test_drift_of_the_machine_drops_out():
    slow = [1.0, 1.7, 0.6, 2.2]
    noise = [1.00, 1.01, 0.99, 1.00]
    effect = speed_test(timing([(s, s * 1.5 * n) for s, n in zip(slow, noise, strict=True)]))
    assert math.exp(-effect.estimate) == pytest.approx(2 / 3, rel=0.01)
    assert effect.ci_low > 0


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ((1.5, 1.52, 1.49), "reproduced"),
        ((0.8, 0.81, 0.79), "not reproduced"),
        ((1.020, 1.021, 1.019), "real but smaller than claimed"),
        ((0.5, 2.0, 1.1), "inconclusive"),
    ],
)
def test_verdicts(ratios, verdict):
    p = ordering_p_values(speed_test(timing([(1, r) for r in ratios])), log_ratio_of_gain(0.05))
    assert family_verdicts([p], 0.05, "holm")[0].verdict == verdict


def test_five_percent_of_the_time_saved_is_a_log_ratio():
    assert log_ratio_of_gain(0.05) == pytest.approx(math.log(1 / 0.95))


def test_one_pair_and_equal_ratios_have_no_test():
    assert "one pair" in speed_test(timing([(1, 2)])).note
    assert "one ratio" in speed_test(timing([(1, 2), (2, 4)])).note


def test_a_timing_is_read_by_pair_whatever_the_order_of_blocks(tmp_path):
    file = tmp_path / "speed.json"
    write_json(file, RECORD)
    found = read_timings([file])["amb", "finetuned_fusion"]
    assert found.seconds == ((0.1, 0.2), (0.1, 0.3))
    assert (found.hardware, found.threads, found.precision) == (
        "A processor",
        1,
        ("medium", "high"),
    )


def without(key):
    return {k: v for k, v in RECORD.items() if k != key}


def with_block(**changes):
    record = copy.deepcopy(RECORD)
    record["blocks"][1] |= changes
    return record


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (without("hardware"), "hardware.*expected the file that amb speed writes"),
        (with_block(seconds=0), "blocks, pair 0, side b"),
        (with_block(seconds="x"), "amb speed"),
        (with_block(side="a"), r"blocks, pair 0: found \['a'\]"),
        ({**RECORD, "blocks": []}, "blocks: found 'none'"),
        ([], "amb speed"),
    ],
)
def test_what_is_no_timing_is_refused(tmp_path, record, message):
    write_json(tmp_path / "speed.json", record)
    with pytest.raises(InputError, match=message):
        read_timings([tmp_path / "speed.json"])
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InputError, match="amb speed"):
        read_timings([tmp_path / "broken.json"])
