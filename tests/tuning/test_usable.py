"""Dimensions that a row cannot use are found before any trial."""

from __future__ import annotations

import pytest

from amb.errors import InputError
from amb.tuning.usable import check_space

RATE = {"low": 1e-5, "high": 1e-3, "log": True}


def test_a_space_that_every_row_can_use_is_accepted(tuned_study, job_of):
    file = tuned_study()
    for method in ("amb", "finetuned_fusion"):
        check_space(job_of(file, method))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"methods": {}},
            r"tuning.space.backbone_learning_rate: found 'a dimension without an effect on row"
            r" amb', expected tuning.methods.amb.backbone_learning_rate with another one instead",
        ),
        (
            {"space": {"group_learning_rates.audio": RATE}, "methods": {}},
            r"group_learning_rates.audio: found 'a dimension without an effect",
        ),
        (
            {"space": {"options.head_droput": {"choices": [0.1, 0.2]}}, "methods": {}},
            r"options.head_droput: found 0.1, expected only",
        ),
    ],
)
def test_a_dimension_without_an_effect_is_named(tuned_study, job_of, changes, message):
    with pytest.raises(InputError, match=message):
        check_space(job_of(tuned_study(**changes)))


def test_a_rate_that_every_group_overrides_is_without_an_effect(tuned_study, job_of):
    rows = {"amb": {"training": {"group_learning_rates": {"new": 0.001}}}}
    with pytest.raises(InputError, match=r"learning_rate: found 'a dimension without an effect"):
        check_space(job_of(tuned_study(rows, space={"learning_rate": RATE}, methods={})))


def test_only_rows_that_are_no_control_are_tuned(tuned_study, job_of, tiny):
    with pytest.raises(InputError, match=r"tuned row: found 'amb_shuffled', expected one of amb,"):
        check_space(job_of(tuned_study(), "amb_shuffled"))
    with pytest.raises(InputError, match=r"tuning: found 'no such section'"):
        check_space(job_of(tiny.file))
