"""A plain article with all tables that the suite writes in LaTeX compiles, and nothing overflows.

The tables come from the commands, on a simulated study with the shipped claims.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from amb.cli import main
from amb.evaluation.metrics import METRICS
from amb.evaluation.predictions import run_folder, write_predictions
from amb.files import write_json
from amb.reporting.latex_pages import WIDEST_PT

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
    content["methods"] = {name: {"builder": "amb"} for name in ROWS}
    for name, label in LABELS.items():
        content["methods"][name]["label"] = label
    content["seeds"] = {"first": 1111, "count": seeds}
    content["statistics"] = {"reference": "finetuned_fusion", "metrics": metrics}
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    noise = {name: (1111, seeds, value) for name, value in ROWS.items()}
    for (method, seed), rows in simulate(noise).groupby(["method", "seed"]):
        run = run_folder(folder / "runs", method, seed)
        counts = {"total": 23_325_696, "trainable": 612_480}
        write_json(run / "run.json", {"parameters": counts, "identity_sha256": f"{seed:064x}"})
        write_predictions(run / "predictions.parquet", rows, {})
    study = ["--study", f"{folder}/study.yaml", "--runs", f"{folder}/runs"]
    summary, comparison = f"{folder}/summary.csv", f"{folder}/comparison.csv"
    tested, claims = f"{folder}/claims.json", f"{ROOT}/config/claims.yaml"
    for command in (
        ["score", *study, "--out-scores", f"{folder}/scores.csv", "--out-summary", summary],
        ["test", *study, "--out", comparison],
        ["claims", *study, "--claims", claims, "--out-json", tested],
        [
            *("tables", *study, "--summary", summary, "--comparison", comparison),
            *("--out-dir", f"{folder}/tables", "--claims", tested),
            *("--out-claims", f"{folder}/claims.md"),
        ],
    ):
        assert main(command) == 0


def typeset(folder):
    """Return the log of a document with all tables in LaTeX below a folder."""
    files = sorted(folder.rglob("*.tex"))
    assert [file.name for file in files] == ["claims.tex", "comparison.tex"]
    body = "\n".join(file.read_text(encoding="utf-8") for file in files)
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
