"""Seeds that a claim needs: against statsmodels, by simulation, and where none suffice."""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from amb.cli import power as power_command
from amb.errors import InputError
from amb.evaluation.method_runs import runs_by_method
from amb.evaluation.predictions import run_folder, write_predictions
from amb.statistics.claims import load_claims
from amb.statistics.fixed_set import fixed_set_test
from amb.statistics.moments import MetricTable
from amb.statistics.population import population_test
from amb.statistics.power_plan import PLAN_COLUMNS, power_plan
from amb.statistics.seeds_needed import Pilot, pilot_of, power_at, seeds_needed

ROOT = Path(__file__).parents[2]


def pilot(runs=(1.0, 1.0), cells=(0.0, 0.0), core=0.0, videos=0, df=8.0):
    return Pilot(np.array(runs), np.array(cells), core, videos, df)


@pytest.mark.parametrize("d", [0.4, 0.8, 1.5])
def test_fixed_set_plans_agree_with_statsmodels_where_spreads_are_equal(d):
    theirs = TTestIndPower()
    for seeds in (3, 10, 40):
        expected = theirs.power(d, seeds, alpha=0.025, alternative="larger")
        assert power_at(pilot(), seeds, d) == pytest.approx(expected, rel=1e-6)
    expected = theirs.solve_power(d, alpha=0.025, power=0.8, alternative="larger")
    assert seeds_needed(pilot(), d).seeds == int(np.ceil(expected))


def test_the_number_of_seeds_is_the_smallest_with_the_power():
    for effect in (0.3, 1.1, 2.5, 30.0):
        needed = seeds_needed(pilot((1.0, 0.2), (0.4, 0.1), 0.001, 30), effect).seeds
        own = pilot((1.0, 0.2), (0.4, 0.1), 0.001, 30)
        assert power_at(own, needed, effect) >= 0.8
        assert needed == 2 or power_at(own, needed - 1, effect) < 0.8


def tables(rng, S, G, gain, spread):
    """Two methods on G one-item videos; ``a`` has the smaller error by ``gain``."""
    names = np.array([f"v{i:03d}" for i in range(G)], dtype=object)
    found = []
    for mean in (1.0 - gain, 1.0):
        errors = mean + rng.normal(0, spread["video"], G) + rng.normal(0, spread["seed"], (S, 1))
        errors = errors + rng.normal(0, spread["cell"], (S, G))
        rest = (errors.sum(axis=1, keepdims=True) - errors) / (G - 1)
        found.append(MetricTable(errors.mean(axis=1), rest, names, G))
    return found


@pytest.mark.parametrize("scope", ["fixed_set", "population"])
def test_a_study_of_the_planned_size_finds_the_effect_four_times_in_five(scope):
    """The truth as the pilot: a claim's own rule, on fresh studies, at the planned seeds."""
    rng, G = np.random.default_rng(11), 40
    spread = {"video": 0.05 if scope == "population" else 0.0, "seed": 0.04, "cell": 0.15}
    known = Pilot(
        runs=np.full(2, spread["seed"] ** 2 + spread["cell"] ** 2 / G),
        cells=np.full(2, spread["cell"] ** 2 / G) if scope == "population" else np.zeros(2),
        core=2 * spread["video"] ** 2 / G,
        n_videos=G if scope == "population" else 0,
        spread_df=8,
    )
    gain, replicates, found = 0.06, 400, 0
    seeds = seeds_needed(known, gain).seeds
    expected = power_at(known, seeds, gain)
    assert 4 < seeds < 30
    for _ in range(replicates):
        a, b = tables(rng, seeds, G, gain, spread)
        if scope == "population":
            effect = population_test(a, b, higher_is_better=False)
        else:
            effect = fixed_set_test(a.values, b.values, higher_is_better=False)
        found += effect.ci_low > 0
    assert found / replicates == pytest.approx(expected, abs=0.07)


@pytest.mark.parametrize("scope", ["fixed_set", "population"])
def test_a_pilot_of_five_seeds_knows_the_variance_of_a_larger_study(scope):
    """On average over pilots, V at 20 seeds planned from 5 is V found with 20 seeds."""
    rng, spread = np.random.default_rng(3), {"video": 0.05, "seed": 0.04, "cell": 0.15}
    planned, found = [], []
    for _ in range(200):
        small = pilot_of(*tables(rng, 5, 30, 0.1, spread), "mae", "difference", scope)
        planned.append(small.runs.sum() / 20 + small.core)
        large = pilot_of(*tables(rng, 20, 30, 0.1, spread), "mae", "difference", scope)
        found.append(large.runs.sum() / 20 + large.core)
    assert np.mean(planned) == pytest.approx(np.mean(found), rel=0.12)


def test_at_its_own_seeds_a_pilot_has_the_standard_error_of_the_test():
    rng, spread = np.random.default_rng(5), {"video": 0.05, "seed": 0.04, "cell": 0.1}
    a, b = tables(rng, 6, 30, 0.1, spread)
    effect = population_test(a, b, higher_is_better=False, form="relative")
    own = pilot_of(a, b, "mae", "relative", "population")
    expected = stats.nct.sf(stats.t.ppf(0.975, effect.df), effect.df, 0.07 / effect.se)
    assert power_at(own, 6, 0.07) == pytest.approx(expected, rel=1e-9)


def test_too_few_videos_cannot_be_made_up_for_by_seeds():
    own = pilot((1e-4, 1e-4), (1e-5, 1e-5), core=4e-4, videos=31)
    needed = seeds_needed(own, 0.034)
    assert needed.seeds is None
    assert needed.seeds_cautious is None
    assert "no number of seeds suffices" in needed.note
    assert needed.mde_at_limit == pytest.approx((2.042272 + 0.853767) * 0.02, rel=1e-5)
    assert power_at(own, 1000, 0.034) == pytest.approx(needed.power_at_limit, abs=0.01)
    assert seeds_needed(own, 0.07).seeds is not None


def test_caution_asks_for_more_seeds_the_less_the_pilot_had():
    few, many = seeds_needed(pilot(df=2.0), 1.0), seeds_needed(pilot(df=30.0), 1.0)
    assert few.seeds == many.seeds
    assert few.seeds < many.seeds_cautious < few.seeds_cautious


@pytest.mark.parametrize(
    ("runs", "effect", "note"),
    [((1.0, 1.0), 0.0, "no effect"), ((1.0, 1.0), -1.0, "no effect"),
     ((0.0, 0.0), 1.0, "do not differ"), ((np.nan, np.nan), 1.0, "undefined"),
     ((1.0, 1.0), 1e-4, "more than 1000 seeds")],
)  # fmt: skip
def test_what_cannot_be_planned_says_why(runs, effect, note):
    needed = seeds_needed(pilot(runs), effect)
    assert needed.seeds is None
    assert note in needed.note


def test_seeds_that_do_not_differ_in_one_method_only_can_be_planned():
    assert seeds_needed(pilot((1.0, 0.0)), 1.0).seeds > 2


STUDY = """
schema: 1
name: tiny
data:
  reader: demo
  demo: {seed: 1, videos: {train: 2, valid: 2, test: 2}, utterances_per_video: 3,
         shares: {text: 0.5, audio: 0.1, visual: 0.1, interaction: 0.1}}
backbone: {name: minilm}
methods: {amb: {}, finetuned_fusion: {seeds: 3}}
seeds: {first: 11, count: 4}
training: {max_epochs: 1}
statistics: {reference: finetuned_fusion, metrics: [mae, acc7]}
"""
CLAIMS = """
schema: 1
alpha: 0.05
families: {primary: holm}
collapse_rule: {split: valid, metric: mae, worse_than: 0.99}
claims:
  - id: amb-beats-finetuned-mae
    statement: "AMB can outperform its fine-tuned counterpart (error)"
    source: {paper: "arXiv 2212.00678", where: abstract}
    kind: ordering
    metric: mae
    contrast: {a: amb, b: finetuned_fusion, form: relative}
    sesoi: 0.01
    scope: {headline: fixed_set, also: population}
    family: primary
  - id: amb-beats-finetuned-acc7
    statement: "AMB can outperform its fine-tuned counterpart (7-class accuracy)"
    source: {paper: "arXiv 2212.00678", where: abstract}
    kind: ordering
    metric: acc7
    contrast: {a: amb, b: finetuned_fusion, form: relative}
    sesoi: 0.01
    scope: {headline: fixed_set, also: population}
    family: primary
  - id: amb-parameter-efficient
    statement: "AMB is trained in a parameter-efficient manner"
    source: {paper: "arXiv 2212.00678", where: abstract}
    kind: count
    quantity: trainable_parameters
    contrast: {a: amb, b: finetuned_fusion}
    threshold: 0.25
"""


@pytest.fixture
def claims_file(tmp_path):
    file = tmp_path / "claims.yaml"
    file.write_text(CLAIMS)
    return file


@pytest.fixture
def pilot_folder(tmp_path, simulate, claims_file):
    (tmp_path / "tiny.yaml").write_text(STUDY)
    predictions = simulate({"amb": (11, 4, 0.5), "finetuned_fusion": (11, 3, 0.8)})
    for (method, seed), rows in predictions.groupby(["method", "seed"]):
        run = run_folder(tmp_path / "runs", method, seed)
        write_predictions(run / "predictions.parquet", rows, {})
    return tmp_path


def plan(folder, *more):
    parser = argparse.ArgumentParser()
    power_command.configure(parser)
    claims = folder / "claims.yaml"
    arguments = ["--study", folder / "tiny.yaml", "--runs", folder / "runs", "--claims", claims]
    power_command.run(parser.parse_args([str(argument) for argument in (*arguments, *more)]))


def test_the_command_prints_and_writes_a_plan_of_every_claim(pilot_folder, capsys):
    plan(pilot_folder, "--out", pilot_folder / "power.json")
    plan(pilot_folder, "--out", pilot_folder / "power.csv")
    printed = capsys.readouterr().out
    assert "amb-beats-finetuned-mae" in printed
    assert "kind count is not covered" in printed
    rows = json.loads((pilot_folder / "power.json").read_text())["plan"]
    table = pd.read_csv(pilot_folder / "power.csv")
    assert table.columns.tolist() == PLAN_COLUMNS
    assert len(rows) == len(table) == 2 * 2 * 2 + 1
    ordering = [row for row in rows if row["kind"] == "ordering"]
    assert {(row["scope"], row["aim"]) for row in ordering} == {
        (scope, aim) for scope in ("fixed_set", "population") for aim in ("sesoi", "twice_sesoi")
    }
    assert {row["level"] for row in ordering} == {0.025}
    assert ordering[0]["effect"] == 0.01
    assert (ordering[0]["pilot_seeds_a"], ordering[0]["pilot_seeds_b"]) == (4, 3)


def test_the_command_refuses_other_files(pilot_folder):
    with pytest.raises(InputError, match=r"--out: found 'power.txt'"):
        plan(pilot_folder, "--out", "power.txt")


def test_methods_without_a_pilot_are_named(simulate, claims_file):
    file = load_claims(claims_file)
    lonely = runs_by_method(simulate({"amb": (1, 1, 0.5), "finetuned_fusion": (1, 3, 0.5)}))
    absent = {"amb": lonely["amb"]}
    for runs, note in (
        (lonely, "method amb has one pilot run; two are needed"),
        (absent, "method finetuned_fusion has no pilot runs"),
    ):
        notes = [row["note"] for row in power_plan(file, runs) if row["kind"] == "ordering"]
        assert notes == [note] * 2
