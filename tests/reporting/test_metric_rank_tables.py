"""Metrics by definition in print, and ``amb metrics`` on a folder of runs."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from amb.cli import main
from amb.evaluation.metric_variants import VARIANTS
from amb.evaluation.predictions import run_folder, write_predictions
from amb.reporting.tables.metric_variants import list_text
from amb.study import load_study

ROOT = Path(__file__).parents[2]
N = 40
SHIFTS = {"amb": 0.0, "finetuned_fusion": 0.25, "mean_predictor": 0.0}


@pytest.fixture
def folder(tmp_path, results):
    """A study of two rows and a control, and their runs: one row leans to the positive."""
    content = yaml.safe_load((results.folder / "study.yaml").read_text(encoding="utf-8"))
    content["methods"] = {
        "amb": {"label": "AMB"},
        "finetuned_fusion": {"label": "Fine-tuned BERT | fusion"},
        "mean_predictor": {},
    }
    content["seeds"] = {"first": 11, "count": 2}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    rng = np.random.default_rng(18)
    labels = rng.integers(-9, 10, N) / 3
    study = load_study(tmp_path / "study.yaml")
    for method, row in study.methods.items():
        for seed in row.seeds:
            predictions = labels + SHIFTS[method] + rng.normal(0, 0.8, N)
            write_run(tmp_path, method, seed, labels, predictions)
    return tmp_path


def write_run(folder, method, seed, labels, predictions):
    frame = pd.DataFrame(
        {
            "method": method,
            "seed": seed,
            "split": "test",
            "corruption": "none",
            "utterance": [f"v{place % 4}_{place}" for place in range(N)],
            "video": [f"v{place % 4}" for place in range(N)],
            "label": labels,
            "prediction": predictions,
        }
    )
    write_predictions(run_folder(folder / "runs", method, seed) / "predictions.parquet", frame, {})


def rank(folder, *more):
    arguments = ["--runs", folder / "runs", "--study", folder / "study.yaml", *more]
    return main(["metrics", "rank-by-variant", *map(str, arguments)])


def test_list_has_every_metric_with_its_definition_in_a_line(capsys):
    assert main(["metrics", "list"]) == 0
    text = capsys.readouterr().out
    assert text == list_text()
    lines = text.splitlines()
    assert len(lines) == sum(1 + len(variant.metrics) for variant in VARIANTS.values())
    assert (
        "mult, version 1: yaohungt/Multimodal-Transformer src/eval_metrics.py at 029afeb" in lines
    )
    assert "  acc2_neg0  Acc-2  (p > 0) = (y > 0), all items: zeros are negative" in lines


def test_the_documentation_lists_what_the_command_lists():
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert textwrap.indent(list_text(), "    ") in page, "paste the output of: amb metrics list"


def test_rank_writes_table_page_and_numbers_and_prints_them(folder, capsys):
    assert rank(folder, "--out", folder / "tables") == 0
    printed = capsys.readouterr().out
    names = {path.name for path in (folder / "tables").iterdir()}
    assert names == {f"metric_variants.{kind}" for kind in ("md", "html", "csv", "tex")}
    page = (folder / "tables" / "metric_variants.md").read_text(encoding="utf-8")
    for text in (printed, page):
        assert "sims is left out: it is for labels within ±1, and they reach 3." in text
        assert "Acc-2, %, higher is better" in text
        assert "MAE, lower is better" in text
    assert "40 utterances of the test split" in printed
    assert "Fine-tuned BERT \\| fusion" in page
    assert "<table>" in (folder / "tables" / "metric_variants.html").read_text(encoding="utf-8")


def test_control_rows_are_not_ranked(folder, capsys):
    rank(folder, "--out", folder / "tables")
    table = pd.read_csv(folder / "tables" / "metric_variants.csv")
    assert set(table["method"]) == {"amb", "finetuned_fusion"}
    assert table["rank"].max() == 2


def test_numbers_of_the_file_are_unrounded_and_carry_variant_and_version(folder, capsys):
    rank(folder, "--out", folder / "tables")
    table = pd.read_csv(folder / "tables" / "metric_variants.csv")
    row = table[(table["variant"] == "mag") & (table["family"] == "MAE")].iloc[0]
    assert (row["version"], row["metric"], row["seeds"]) == (1, "mae_non0", 2)
    mean = f"{row['mean']:.4f} ({row['rank']:.0f})"
    assert mean in (folder / "tables" / "metric_variants.md").read_text(encoding="utf-8")


def test_without_a_folder_nothing_is_written(folder, capsys):
    before = sorted(folder.rglob("*"))
    assert rank(folder) == 0
    assert sorted(folder.rglob("*")) == before


def test_a_split_that_nobody_predicted_is_named(folder, capsys):
    assert rank(folder, "--split", "valid") == 2
    assert "valid" in capsys.readouterr().err


def test_a_row_without_a_correlation_reads_undefined(folder, capsys):
    labels = np.round(np.linspace(-2, 2, N), 1)
    for method in ("amb", "finetuned_fusion"):
        for seed in (11, 12):
            collapsed = method == "amb" and seed == 12
            write_run(folder, method, seed, labels, np.full(N, 0.5) if collapsed else labels)
    with pytest.warns(RuntimeWarning, match="constant"):
        rank(folder, "--out", folder / "tables")
    page = (folder / "tables" / "metric_variants.md").read_text(encoding="utf-8")
    assert "| AMB | undefined | undefined |" in page


def test_ranking_imports_no_torch(folder):
    code = "import sys; from amb.cli import main; main(sys.argv[1:]); print('torch' in sys.modules)"
    arguments = ["--runs", folder / "runs", "--study", folder / "study.yaml"]
    command = [sys.executable, "-c", code, "metrics", "rank-by-variant", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False", done.stderr
