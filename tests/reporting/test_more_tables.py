"""Ablations, efficiency, published numbers and traces, made by the commands from real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from amb.cli import main
from amb.errors import InputError
from amb.evaluation.predictions import run_folder, write_predictions
from amb.files import read_json, write_json
from amb.reporting.inputs import read_table
from amb.reporting.metric_display import METRICS
from amb.reporting.rounding import format_significant
from amb.reporting.tables.comparison import read_comparison
from amb.reporting.tables.efficiency import COSTS, caption, efficiency_grid, tidy_efficiency
from amb.reporting.tables.published import caption as published_caption
from amb.reporting.tables.published import published_grid, quoted_numbers, quoted_text
from amb.reporting.trace import Check
from amb.statistics.costs import read_costs, summarise_costs
from amb.statistics.published import PublishedNumber, PublishedNumbers, read_published
from amb.study import load_study

ROOT = Path(__file__).resolve().parents[2]
ROWS = {
    "amb": ({"builder": "amb"}, 4, 0.4),
    "finetuned_fusion": ({"builder": "finetuned_fusion"}, 4, 0.6),
    "text": ({"builder": "amb", "label": "Text", "options": {"fusion": "none"}}, 3, 1.5),
    "last": ({"builder": "amb", "label": "Last", "options": {"fusion_layers": 1}}, 3, 0.5),
    "tfn": ({"label": "TFN"}, 3, 0.7),
}


def record(seed: int, method: str) -> dict[str, object]:
    """A record like those that training leaves; the time of one run only since it was resumed."""
    return {
        "parameters": {"total": 1000, "trainable": 100 if method == "amb" else 900},
        "device": {"type": "cpu", "name": "A processor"}, "threads": 1, "packed_seeds": [seed],
        "epochs": 2, "wall_time_s": 1.0 if seed == 1112 else 10.0 + seed - 1111,
        "peak_memory_bytes": 1_500_000_000 + seed, "identity_sha256": f"{seed:064x}",
    }  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory, simulate):
    """A results folder with all tables of a small study."""
    folder = tmp_path_factory.mktemp("study")
    content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
    content["methods"] = {name: {**row, "seeds": n} for name, (row, n, _) in ROWS.items()}
    content["statistics"] = {"reference": "finetuned_fusion", "metrics": ["mae", "acc7"]}
    (folder / "study.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    noise = {name: (1111, n, value) for name, (_, n, value) in ROWS.items()}
    for (method, seed), rows in simulate(noise, videos=20).groupby(["method", "seed"]):
        run = run_folder(folder / "runs", method, seed)
        write_predictions(run / "predictions.parquet", rows, {})
        write_json(run / "run.json", record(seed, method))
        (run / "checkpoint.safetensors").write_bytes(b"x" * 2_000_000)
        pd.DataFrame({"wall_time_s": [4.0, 5.0]}).to_csv(run / "curve.csv", index=False)
    study, out = f"{folder}/study.yaml", ["--out-dir", f"{folder}/tables"]
    runs, pairs = ["--study", study, "--runs", f"{folder}/runs"], f"{folder}/pairs.csv"
    tests, summary, costs = (f"{folder}/{n}.csv" for n in ("comparison", "summary", "costs"))
    for command in (
        ["study", "--study", study, "--out", f"{folder}/study.json"],
        ["score", *runs, "--out-scores", f"{folder}/scores.csv", "--out-summary", summary],
        ["test", *runs, "--out", tests, "--out-pairs", pairs],
        ["tables", *runs, "--summary", summary, "--comparison", tests, "--pairs", pairs, *out],
        ["costs", *runs, "--out", costs],
        ["efficiency", "--study", study, "--costs", costs, *out],
        *(
            [
                *("ablation", "--study", study, "--comparison", f"{folder}/tables/comparison.csv"),
                *("--pairs", pairs, "--costs", costs, "--table", table, *out),
            ]
            for table in ("ablation", "fusion")
        ),
        ["metrics", "rank-by-variant", *runs, "--out", f"{folder}/tables"],
    ):
        assert main(command) == 0
    return folder


def costs_of(folder, **changed):
    study = load_study(folder / "study.yaml")
    costs = read_table(folder / "costs.csv", COSTS)
    for column, value in changed.items():
        costs.loc[(costs["method"] == "amb") & (costs["seed"] == 1111), column] = value
    return tidy_efficiency(costs, {name: row.label for name, row in study.methods.items()})


def test_time_of_a_resumed_run_is_that_of_its_epochs(made):
    costs = read_costs(made / "runs", load_study(made / "study.yaml"))
    own = costs[costs["method"] == "amb"].set_index("seed")
    assert own["wall_time_s"].to_dict() == {1111: 10.0, 1112: 9.0, 1113: 12.0, 1114: 13.0}
    assert set(own["epoch_time_s"]) == {4.5}
    assert set(own["checkpoint_bytes"]) == {2_000_000}
    summary = summarise_costs(costs).set_index("method").loc["amb"]
    assert (summary["wall_time_s"], summary["wall_time_s_max"]) == (11.0, 13.0)
    assert summary["peak_memory_bytes"] == 1_500_001_114


def test_efficiency_names_one_kind_of_hardware_below_and_has_no_marks(made):
    table = costs_of(made)
    headings = [column.header for column in efficiency_grid(table).columns]
    assert "On" not in headings
    assert "CPU, s" not in headings
    assert caption(table).startswith("Hardware: CPU A processor, 1 thread.")


def test_mixed_hardware_is_shown_and_never_averaged(made):
    table = costs_of(made, hardware="Other", device="cuda", wall_time_s=99.0)
    rows = efficiency_grid(table).rows[:2]
    assert [row[0] for row in rows] == ["amb", ""]
    assert [(row[4], row[5], row[8]) for row in rows] == [("A", "1", "99.0"), ("B", "3", "12.0")]
    assert "A: GPU Other; B: CPU A processor, 1 thread." in caption(table)


def test_record_without_times_leaves_gaps_and_a_broken_one_is_named(made, tmp_path):
    study = load_study(made / "study.yaml").only(["tfn"])
    for seed in study.methods["tfn"].seeds:
        write_json(
            run_folder(tmp_path, "tfn", seed) / "run.json",
            {"parameters": {"total": 5, "trainable": 5}},
        )
    costs = read_costs(tmp_path, study)
    assert costs[["wall_time_s", "epoch_time_s", "checkpoint_bytes"]].isna().all(axis=None)
    write_json(run_folder(tmp_path, "tfn", 1112) / "run.json", {"epochs": 3})
    with pytest.raises(InputError, match=r"seed1112/run.json: record.*'parameters'"):
        read_costs(tmp_path, study)


@pytest.mark.parametrize(
    ("value", "text"), [(11.64, "11.6"), (1370.4, "1370"), (0.02194, "0.0219"), (9.996, "10.0")]
)
def test_measurements_have_three_significant_digits(value, text):
    assert format_significant(value) == text
    assert format_significant(float("nan")) == "—"


def test_ablation_shows_all_cells_and_tests_against_the_full_model(made):
    text = (made / "tables" / "ablation.md").read_text(encoding="utf-8")
    assert text.count("not in this study |") == 6
    table = pd.read_csv(made / "tables" / "ablation.csv")
    pairs = pd.read_csv(made / "pairs.csv")
    row = table[(table["method"] == "text") & (table["metric"] == "mae")].iloc[0]
    test = pairs.query("a == 'amb' and b == 'text' and metric == 'mae' and scope == 'population'")
    assert row["population_estimate"] == -test["estimate"].iloc[0]
    assert row["population_ci_low"] == -test["ci_high"].iloc[0]
    assert row["population_p_adjusted"] == test["p_adjusted"].iloc[0]
    assert set(table["full"]) == {"amb"}


def test_fusion_table_stands_beside_it_and_foreign_rows_in_neither(made):
    table = pd.read_csv(made / "tables" / "fusion.csv")
    assert set(table["method"].dropna()) == {"amb", "text", "last"}
    assert "TFN" not in (made / "tables" / "ablation.md").read_text(encoding="utf-8")


def test_study_without_rows_for_an_ablation_is_an_input_error(made, tmp_path, capsys):
    content = yaml.safe_load((made / "study.yaml").read_text())
    content["methods"] = {"tfn": {}, "finetuned_fusion": {}}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(content))
    files = ["--comparison", "-", "--pairs", "-", "--costs", "-", "--out-dir", "-"]
    for table, wanted in (("ablation", "in BERT"), ("fusion", "in their fusion")):
        command = ["ablation", "--study", f"{tmp_path}/study.yaml", "--table", table, *files]
        assert main(command) == 2
        assert f"rows that differ {wanted}" in capsys.readouterr().err


def test_quoted_numbers_keep_the_digits_of_their_source():
    number = PublishedNumber("mosi", "M", "mae", 0.7, "s", "", written="0.700")
    assert quoted_text(number, METRICS["mae"]) == "0.700"
    number = PublishedNumber("mosi", "M", "acc7", 0.4, "s", "", written="0.400")
    assert quoted_text(number, METRICS["acc7"]) == "40.0"


def test_published_rows_stand_below_the_studys_own_with_marks_of_their_sources(made):
    study = load_study(ROOT / "config" / "mosi_sdk.yaml")
    table = read_comparison(made / "tables" / "comparison.csv")
    numbers = quoted_numbers(study, read_published(ROOT / "config" / "published.csv"))
    grid = published_grid(table, numbers)
    assert [row[0] for row in grid.rows if row[0]] == ["This study", "Quoted, not run"]
    assert grid.block_starts == {len(ROWS)}
    assert not grid.bold
    rows = {row[1]: row for row in grid.rows}
    assert rows["MulT [b]"][2:4] == ("0.8799", "36.91")
    assert rows["MAG-BERT (paper) [c]"][2:4] == ("0.712", "—")
    text = published_caption(study, table, numbers)
    assert "none was computed or checked here" in text
    assert "c: CMU-MultimodalSDK CMU_MOSI/README.md;" in text


def test_a_model_of_two_sources_has_marks_at_its_numbers(made):
    table = read_comparison(made / "tables" / "comparison.csv")
    numbers = [
        PublishedNumber("mosi", "M", "mae", 0.7, "one", "", "0.7"),
        PublishedNumber("mosi", "M", "acc7", 0.4, "two", "", "0.4"),
    ]
    assert published_grid(table, numbers).rows[-1][1:4] == ("M", "0.7 [a]", "40 [b]")


def test_generated_data_have_no_published_numbers(made):
    assert quoted_numbers(load_study(made / "study.yaml"), PublishedNumbers()) == []


@pytest.mark.parametrize(
    "cell",
    [
        "comparison:amb:mae", "comparison:finetuned_fusion:acc7", "ablation:text:mae",
        "fusion:last:acc7", "ties:tfn:mae", "efficiency:amb:wall_time_s",
        "metric_variants:tfn:acc7:mmsa",
    ],
)  # fmt: skip
def test_a_cell_is_traced_to_its_files_and_computed_again(made, capsys, cell):
    assert main(["trace", str(made), cell]) == 0
    text = capsys.readouterr().out
    method = cell.split(":")[1]
    assert f"runs/{method}/seed1111/" in text
    assert "agrees" in text
    assert "DIFFERS" not in text


def test_what_a_row_explains_of_generated_data_is_traced(capsys):
    reference = ROOT / "results" / "reference" / "demo"
    for column in ("explained", "ci_low", "mae_bound"):
        assert main(["trace", str(reference), f"known_answer:amb:{column}"]) == 0
    text = capsys.readouterr().out
    assert "runs/amb/seed1116/predictions.parquet" in text
    assert "DIFFERS" not in text
    assert main(["trace", str(reference), "known_answer:amb:reads"]) == 2
    assert "one of explained, ci_low" in capsys.readouterr().err


def test_trace_takes_the_parts_of_a_name_too(made, capsys):
    parts = ["--table", "comparison", "--row", "amb", "--metric", "mae"]
    assert main(["trace", str(made), *parts]) == 0
    text = capsys.readouterr().out
    assert f"{1111:064x}" in text
    assert "seed 1114" in text


def test_trace_fails_and_names_both_numbers_where_a_cell_does_not_follow(made, capsys):
    file = made / "tables" / "comparison.csv"
    kept = file.read_text(encoding="utf-8")
    table = pd.read_csv(file)
    mean = table.loc[0, "mean"]
    table.loc[0, "mean"] = mean + 1e-6
    table.to_csv(file, index=False)
    try:
        assert main(["trace", str(made), "comparison:amb:mae"]) == 2
        captured = capsys.readouterr()
        assert "DIFFERS" in captured.out
        assert f"found {mean + 1e-6}" in captured.err
        assert "computed from the files of its runs" in captured.err
    finally:
        file.write_text(kept, encoding="utf-8")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("comparison:amb", "table:row:metric"),
        ("figures:amb:mae", "one of comparison, ties"),
        ("comparison:nobody:mae", "one of amb, finetuned_fusion"),
        ("comparison:amb:f2", "one of mae, acc7"),
        ("robustness:amb:mae", "no such file"),
    ],
)
def test_trace_says_what_cells_there_are(made, capsys, cell, message):
    assert main(["trace", str(made), cell]) == 2
    assert message in capsys.readouterr().err


def test_checks_hold_undefined_numbers_equal_and_last_digits_alike():
    nan = float("nan")
    assert Check("x", nan, nan).agrees
    assert not Check("x", nan, 0.0).agrees
    assert Check("x", 0.1 + 0.2, 0.3).agrees
    assert not Check("x", "a", "ab").agrees


def test_study_record_in_the_folder_is_what_names_the_runs(made):
    assert read_json(made / "study.json")["name"] == "demo"
    assert np.isfinite(pd.read_csv(made / "pairs.csv")["p"]).all()
