"""``amb page``: from a results folder to one file."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd

from amb.cli import main
from amb.evaluation.predictions import write_predictions
from amb.provenance import PAGE_SOURCES
from amb.reporting.study_page.document import MOST_BYTES, render_page
from amb.reporting.study_page.folder import open_folder
from amb.source_graph import ROOT, files_behind


def page_of(results, study=None):
    command = ["page", "--results", str(results), "--out", str(results / "index.html")]
    assert main(command + (["--study", str(study)] if study else [])) == 0
    return (results / "index.html").read_text(encoding="utf-8")


def test_the_page_says_what_was_found_and_where_it_comes_from(page_file):
    text = page_file.read_text(encoding="utf-8")
    for part in (
        "Three rows &amp; a control; &lt;i&gt;nothing&lt;/i&gt; is meant by it.",
        "Reproduced</span>",
        "“AMB is trained in a parameter-efficient manner”",
        "registered claims that this study cannot test",
        "c0ffee",
        "A &lt;fast&gt; machine",
        "snakemake --cores all --resources gpu=1 --config study=small",
        "Some runs were made from a work tree that differed from its commit",
        "1 control rows",
    ):
        assert part in text, part
    assert page_file.stat().st_size < MOST_BYTES


def test_nothing_comes_from_elsewhere_and_the_policy_forbids_it(page_file):
    text = page_file.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    assert "default-src &#39;none&#39;" in policy
    assert "unsafe" not in policy
    own = re.sub(r'<script type="application/json".*?</script>', "", text, flags=re.DOTALL)
    assert not re.search(r'(?:src|href)="(?!#|data:image/webp;base64,)', own)
    assert not re.search(r'\sstyle="|\son\w+="', own)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|innerHTML", own)


def test_the_same_folder_gives_the_same_bytes(small_study):
    study, results = small_study
    first = render_page(open_folder(results, study))
    assert render_page(open_folder(results, study)) == first


def test_a_folder_that_was_sent_needs_neither_study_file_nor_store(own_results):
    _, results = own_results
    shutil.rmtree(results / "store")
    text = page_of(results)
    assert "The texts are not part of this folder" in text
    assert '"texts":null' in text


def test_a_folder_of_predictions_alone_still_has_a_page(own_results):
    study, results = own_results
    for name in ("claims.json", "scores.csv", "summary.csv", "comparison.csv"):
        (results / name).unlink()
    for name in ("tables", "figures"):
        shutil.rmtree(results / name)
    for file in (results / "runs").glob("*/*/*"):
        if file.suffix != ".parquet":
            file.unlink()
    text = page_of(results, study)
    assert 'id="utterances"' in text
    for absent in ("verdicts", "tables", "figures", "seeds", "definitions"):
        assert f'<section id="{absent}"' not in text


def test_one_seed_is_enough(own_results):
    study, results = own_results
    content = study.read_text(encoding="utf-8").replace("seeds: 3", "seeds: 1")
    one = results / "one.yaml"
    one.write_text(content, encoding="utf-8")
    for name in ("scores.csv", "summary.csv", "claims.json", "comparison.csv"):
        (results / name).unlink()
    same = ["--study", str(one), "--runs", str(results / "runs")]
    scores = ["--out-scores", str(results / "scores.csv")]
    assert main(["score", *same, *scores, "--out-summary", str(results / "summary.csv")]) == 0
    assert '"methods":["amb","finetuned_fusion","finetuned_late","mean_predictor"]' in page_of(
        results, one
    )


def test_a_large_study_stays_within_the_budget_and_says_what_it_left_out(own_results):
    study, results = own_results
    rng = np.random.default_rng(0)
    n = 6000
    label = rng.normal(0, 1, n)
    for file in sorted((results / "runs").glob("*/*/predictions.parquet")):
        method, seed = file.parent.parent.name, int(file.parent.name[4:])
        frame = pd.DataFrame(
            {
                "method": method,
                "seed": seed,
                "split": "test",
                "corruption": "none",
                "utterance": [f"v[{i}]" for i in range(n)],
                "video": [f"v{i // 20}" for i in range(n)],
                "label": label,
                "prediction": label + rng.normal(0, 1, n),
            }
        )
        write_predictions(file, frame, {})
    texts = {"id": [f"v[{i}]" for i in range(n)], "text": ["long </text> " * 100] * n}
    pd.DataFrame(texts).to_parquet(results / "store" / "utterances.parquet")
    text = page_of(results, study)
    assert MOST_BYTES * 0.8 < len(text.encode()) < MOST_BYTES
    kept = re.search(r"The (\d+) of 6000 test utterances on which the methods disagree", text)
    assert 1500 < int(kept[1]) < 6000


def test_the_page_needs_no_torch():
    code = "import sys, amb.reporting.study_page.document, amb.cli.page; "
    code += (
        "print(sorted({'torch', 'transformers', 'snakemake', 'statsmodels'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_workflow_makes_the_page_and_remakes_it_when_its_layout_changes(tmp_path, tiny, plan):
    planned = plan(tmp_path, tiny.file, "results/tiny/index.html")
    assert "amb page" in planned["write_page"]
    assets = ROOT / "amb" / "reporting" / "study_page" / "assets"
    assert set(assets.iterdir()) <= set(files_behind(PAGE_SOURCES))
