"""A plain article with all tables that the suite writes in LaTeX compiles, and nothing overflows.

The tables come from the commands, on a simulated study with the shipped claims.
"""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from amb.cli import main
from amb.evaluation.metrics import METRICS
from amb.evaluation.predictions import run_folder, write_predictions
from amb.files import write_json
from amb.reporting.markup.latex_pages import WIDEST_PT
from amb.reporting.tables.controls import write_controls
from amb.reporting.tables.known_answer import write_known_answer

ROOT = Path(__file__).parents[2]
ENGINE = shutil.which("pdflatex") or shutil.which("tectonic")
# Rows that the shipped claims name, and others; the noise of each.
ROWS = {
    "amb": 0.4,
    "finetuned_fusion": 0.6,
    "self_mm": 0.7,
    "a_row_with_a_long_name_and_no_label": 0.7,
    "mag_bert": 0.8,
    **{f"row_{i}": 1.0 for i in range(4)},
}
# Rows of the ablations; all others are of the builder that a name stands for, or of AMB.
OPTIONS = {
    "finetuned_fusion": {"builder": "finetuned_fusion"},
    "a_row_with_a_long_name_and_no_label": {"options": {"fusion": "none"}},
    "row_0": {"options": {"fusion_layers": 1}},
    "row_1": {"options": {"fusion": "gated"}},
    "row_2": {"options": {"fusion": "side", "fusion_layers": 1}},
}
POINTS = {
    "gaussian:audio+visual:0.5:0": 0.1,
    "gaussian:audio+visual:2:0": 0.4,
    "missing:text:1:0": 2,
}
GRID = {
    "draws": 1,
    "grid": [
        {"kind": "gaussian", "targets": ["audio+visual"], "levels": [0.5, 2]},
        {"kind": "missing", "targets": ["text"], "levels": [1]},
    ],
}
TABLES = [
    *("ablation", "claims", "comparison", "controls", "efficiency", "fusion", "known_answer"),
    *("metric_variants", "published", "robustness", "ties"),
]
LABELS = {"mag_bert": "MAG-BERT [ours], A & V_concat at 50 %, #1 {frozen} ~ 5e-5"}
# A table may be wider than the text of an article, so its width is written down, not warned of.
PREAMBLE = r"""\documentclass{article}
\usepackage{booktabs}
\newsavebox{\measured}
\long\def\makebox[\textwidth][c]#1{\sbox{\measured}{#1}%
  \typeout{Table of \the\wd\measured}%
  \hbox to \textwidth{\hss\usebox{\measured}\hss}}
\begin{document}
"""
FAULTS = r"^(?:Overfull|Missing character|LaTeX Warning: Float too large).*|^! .*"


def write_study(folder, simulate, metrics, seeds):
    """Write a study, and what the commands of the workflow make of it."""
    content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
    content["methods"] = {name: {"builder": "amb", **OPTIONS.get(name, {})} for name in ROWS}
    for name, label in LABELS.items():
        content["methods"][name]["label"] = label
    content["seeds"] = {"first": 1111, "count": seeds}
    content["statistics"] = {"reference": "finetuned_fusion", "metrics": metrics}
    content["corruption"] = GRID
    write_yaml(folder / "study.yaml", content)
    mosi = yaml.safe_load((ROOT / "config" / "mosi_sdk.yaml").read_text(encoding="utf-8"))
    write_yaml(folder / "mosi.yaml", {**content, "data": mosi["data"]})
    noise = {name: (1111, seeds, value) for name, value in ROWS.items()}
    for (method, seed), rows in simulate(noise).groupby(["method", "seed"]):
        run = run_folder(folder / "runs", method, seed)
        counts = {"total": 23_325_696, "trainable": 612_480}
        record = {"parameters": counts, "identity_sha256": f"{seed:064x}", **cost_of(seed)}
        write_json(run / "run.json", record)
        write_predictions(run / "predictions.parquet", rows, {})
        write_predictions(run / "corrupted.parquet", corrupted(rows, seed), {})
    study = ["--study", f"{folder}/study.yaml", "--runs", f"{folder}/runs"]
    summary, comparison = f"{folder}/summary.csv", f"{folder}/comparison.csv"
    tested, claims = f"{folder}/claims.json", f"{ROOT}/config/claims.yaml"
    pairs, costs, tables = (
        f"{folder}/pairs.csv",
        f"{folder}/costs.csv",
        ["--out-dir", f"{folder}/tables"],
    )
    compared = ["--comparison", f"{folder}/tables/comparison.csv"]
    for command in (
        ["score", *study, "--out-scores", f"{folder}/scores.csv", "--out-summary", summary],
        ["test", *study, "--out", comparison, "--out-pairs", pairs],
        ["claims", *study, "--claims", claims, "--out-json", tested],
        [
            *("tables", *study, "--summary", summary, "--comparison", comparison),
            *("--pairs", pairs, *tables, "--claims", tested),
            *("--out-claims", f"{folder}/claims.md"),
        ],
        ["costs", *study, "--out", costs],
        ["efficiency", *study[:2], "--costs", costs, *tables],
        *(
            [
                *("ablation", *study[:2], *compared, "--pairs", pairs, "--costs", costs, *tables),
                *("--table", table),
            ]
            for table in ("ablation", "fusion")
        ),
        [
            *("published", "--study", f"{folder}/mosi.yaml", *compared, *tables),
            *("--published", f"{ROOT}/config/published.csv"),
        ],
        ["metrics", "rank-by-variant", *study, "--out", f"{folder}/tables"],
        ["robustness", *study, "--out", f"{folder}/robustness.csv"],
        [
            *("robustness-report", *study[:2], "--robustness", f"{folder}/robustness.csv"),
            *("--tables", f"{folder}/tables", "--figures", f"{folder}/figures"),
        ],
    ):
        assert main(command) == 0
    write_known(folder / "tables")


def write_yaml(file, content):
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    file.write_text(text, encoding="utf-8")


def cost_of(seed):
    """Return what a record says of a run's cost; the first seed ran on other hardware."""
    device = {"type": "cuda", "name": "NVIDIA A_100 & 80 GB"} if seed == 1111 else {"type": "cpu"}
    return {
        "device": device, "threads": 2, "epochs": 12, "wall_time_s": 123.4 + seed % 10,
        "peak_memory_bytes": 2_345_678_901, "packed_seeds": [seed],
    }  # fmt: skip


def corrupted(rows, seed):
    """Return the predictions of one run on corrupted inputs of the test split."""
    test = rows[rows["split"] == "test"]
    rng = np.random.default_rng(seed)
    return pd.concat(
        test.assign(corruption=name, prediction=test["prediction"] + rng.normal(0, push, len(test)))
        for name, push in POINTS.items()
    )


def write_known(folder):
    """Write the tables of what is known beforehand, faults and long names among it."""
    label = LABELS["mag_bert"]
    lost = {"estimate": 0.0123, "ci_low": -0.004, "ci_high": 0.0286, "p": 0.1, "mde": 0.02}
    check = {"quantity": "test MAE / MAE of the median", "low": 0.95, "high": None}
    control = {
        "row": "mag_bert_shuffled_audio", "label": f"{label}, shuffled audio", "in_range": False,
        "control": "shuffled_audio", "intact": "mag_bert", "intact_label": label,
        "note": "a method has one seed; two are needed",
        "checks": [{**check, "found": {"1111": 0.97, "1112": 0.93}, "outside": ["1112"]}],
        "lost": {"fixed_set": lost, "population": lost},
    }  # fmt: skip
    write_controls(folder, {"alpha": 0.05, "controls": [control] * 3})
    row = {
        "row": "mag_bert", "label": label, "reads": ["text", "audio", "visual"], "seeds": 10,
        "bound": 0.92, "explained": 0.461, "ci_low": 0.44, "ci_high": 0.48, "share": 0.5,
        "mae": 0.61234, "mae_bound": 0.2, "p_above": 1e-5, "in_range": False, "note": "",
    }  # fmt: skip
    write_known_answer(folder, {"alpha": 0.05, "rows": [row] * 4})


def typeset(folder):
    """Return the log of a document with all tables in LaTeX below a folder."""
    files = sorted(folder.rglob("*.tex"))
    assert sorted(file.stem for file in files) == TABLES
    body = "\n\\clearpage\n".join(file.read_text(encoding="utf-8") for file in files)
    (folder / "document.tex").write_text(PREAMBLE + body + "\\end{document}\n", encoding="utf-8")
    options = {"pdflatex": ["-interaction=nonstopmode"], "tectonic": ["--keep-logs"]}
    command = [ENGINE, *options[Path(ENGINE).name], "document.tex"]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    log = (folder / "document.log").read_text(encoding="utf-8", errors="replace")
    assert (folder / "document.pdf").stat().st_size > 10_000, log[-2000:]
    return log


@pytest.mark.skipif(ENGINE is None, reason="neither pdflatex nor tectonic is installed")
@pytest.mark.parametrize(
    ("metrics", "seeds"),
    [(["mae", "corr", "acc7", "acc2_non0", "f1_non0"], 10), (list(METRICS), 3)],
    ids=["the usual metrics", "all metrics"],
)
def test_an_article_with_all_tables_compiles_and_nothing_overflows(
    tmp_path, simulate, metrics, seeds
):
    write_study(tmp_path, simulate, metrics, seeds)
    log = typeset(tmp_path)
    assert re.findall(FAULTS, log, flags=re.MULTILINE) == []
    widths = [float(width) for width in re.findall(r"Table of ([\d.]+)pt", log)]
    assert len(widths) == (tmp_path / "document.tex").read_text().count(r"\begin{table*}") >= 5
    assert max(widths) <= WIDEST_PT
