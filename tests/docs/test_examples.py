"""The code and the files that the documentation shows work as they stand there."""

from __future__ import annotations

import json
import re
import types

import numpy as np
import pytest
import yaml
from doc_commands import ROOT
from markdown_it import MarkdownIt
from simulated_results import make_runs, study_content

from amb.cli import main
from amb.data import sources
from amb.data.prepare import write_dataset
from amb.data.store import Store
from amb.errors import InputError
from amb.evaluation import metric_variants, variant_metrics
from amb.study import DATA_DEFAULTS, load_study

DEMO = ROOT / "config" / "demo.yaml"
RUNS = ROOT / "results" / "reference" / "demo" / "runs"


def blocks(page, language):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [t.content for t in MarkdownIt().parse(text) if t.type == "fence" and t.info == language]


@pytest.fixture
def clear_variant(monkeypatch):
    """The variant of docs/add-a-metric.md, added as the page says."""
    function, variant = blocks("add-a-metric.md", "python")
    namespace = dict(vars(variant_metrics))
    exec(function, namespace)
    monkeypatch.setattr(variant_metrics, "acc2_clear", namespace["acc2_clear"], raising=False)
    added = eval(variant, dict(vars(metric_variants)))
    monkeypatch.setitem(metric_variants.VARIANTS, added.name, added)
    return added


def test_the_metric_is_what_the_page_says(clear_variant):
    metric = clear_variant.metrics["acc2_clear"]
    labels = np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0])
    predictions = np.array([[-1.0, 0.2, 9.0, 9.0, -9.0, 0.1, 2.0], [1, 1, 1, 1, 1, -1, -1]])
    assert metric(labels, predictions).tolist() == [0.75, 0.0]
    with pytest.warns(RuntimeWarning):
        assert np.isnan(metric([0.5, 0.0], [[1.0, 1.0]])).all()


def test_the_variant_is_listed_and_ranked_beside_the_others(clear_variant, capsys):
    assert main(["metrics", "list"]) == 0
    assert "acc2_clear" in capsys.readouterr().out
    assert main(["metrics", "rank-by-variant", "--study", str(DEMO), "--runs", str(RUNS)]) == 0
    assert "clear" in capsys.readouterr().out


@pytest.fixture
def read_jsonl(monkeypatch):
    """The reader of docs/add-a-data-format.md."""
    (source,) = blocks("add-a-data-format.md", "python")
    module = types.ModuleType("jsonl")
    exec(source, module.__dict__)
    monkeypatch.setitem(sources.FILE_OPTIONS, "jsonl", ("file",))
    return module.read_jsonl


def lines(**changes):
    (sample,) = blocks("add-a-data-format.md", "json")
    row = json.loads(sample)
    rows = [
        {**row, "id": f"{split}_{n}", "video": split, "split": split, **changes}
        for split in ("valid", "test", "train")
        for n in range(2)
    ]
    return "\n".join(map(json.dumps, rows))


def test_the_reader_makes_a_store(read_jsonl, tmp_path):
    schema, study = map(yaml.safe_load, blocks("add-a-data-format.md", "yaml"))
    options = study["data"]["jsonl"]
    assert set(options) == set(schema["jsonl"]["required"])
    (tmp_path / options["file"]).write_text(lines())
    settings = {**DATA_DEFAULTS, **study["data"]}
    write_dataset(read_jsonl(options, tmp_path), settings, tmp_path, tmp_path / "store")
    store = Store.open(tmp_path / "store")
    assert store.utterances["split"].tolist() == ["train"] * 2 + ["valid"] * 2 + ["test"] * 2
    assert store.features("audio")[0].tolist() == pytest.approx(np.array([[0.1, 0.2], [0.3, 0.1]]))
    assert store.word_aligned == {"audio": True}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"mine.jsonl: line 1: found .*expected a JSON object"),
        ('{"id": "a"}', r"line 1: found 'id', expected key video too"),
        (lines(split="dev"), r"line 1, split: found 'dev', expected one of train, valid, test"),
    ],
)
def test_the_reader_refuses_by_place(read_jsonl, tmp_path, text, message):
    (tmp_path / "mine.jsonl").write_text(text)
    with pytest.raises(InputError, match=message):
        read_jsonl({"dataset": "other", "file": "mine.jsonl"}, tmp_path)


def test_the_claims_of_a_reader_are_judged_from_a_file_of_their_own(simulate, tmp_path):
    claims, statistics = blocks("add-a-claim.md", "yaml")
    own = tmp_path / "own" / "my_claims.yaml"
    own.parent.mkdir()
    own.write_text(claims)
    content = study_content()
    content["methods"] = {
        "my_method": {"label": "My method"},
        "finetuned_text": {},
        "finetuned_fusion": {},
    }
    content["seeds"]["count"] = 4
    content["statistics"] = yaml.safe_load(statistics)["statistics"]
    content["statistics"]["claims"] = "../own/my_claims.yaml"
    noise = {"my_method": 0.3, "finetuned_text": 0.9, "finetuned_fusion": 0.9}
    rows = {name: (1111, 4, own_noise) for name, own_noise in noise.items()}
    predictions = simulate(rows, videos=20, clips=8, seed_spread=0.02)
    (tmp_path / "config").mkdir()
    made = make_runs(tmp_path / "config" / "study.yaml", tmp_path / "results", content, predictions)
    assert made.study.claims_file().resolve() == own
    # The command of the page.
    command = ["claims", "--study", str(made.study.file), "--runs", str(made.folder / "runs")]
    out = tmp_path / "my_verdicts.json"
    assert main([*command, "--claims", str(own), "--out-json", str(out)]) == 0
    judged = json.loads(out.read_text())["claims"]
    verdicts = {claim["id"]: claim["verdict"] for claim in judged}
    assert verdicts == {
        "my-method-beats-text": "reproduced",
        "my-method-is-small": "not reproduced",
    }
    assert judged[0]["statement"].startswith("My method has a lower error than fine-tuned BERT")


def test_the_line_for_the_claims_file_fits_the_study_of_the_walk():
    walk = (ROOT / "docs" / "add-a-claim.md").read_text(encoding="utf-8")
    old, new = re.search(r's/(claims: \S+?)/(claims: \S+?)/"', walk).groups()
    assert DEMO.read_text(encoding="utf-8").count(old) == 1
    assert "my_claims.yaml" in new


def test_the_rows_of_the_page_are_rows_of_a_study(tmp_path):
    for block in blocks("add-a-method.md", "yaml"):
        content = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
        content["methods"].update(yaml.safe_load(block)["methods"])
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump(content))
        assert load_study(file).methods["my_method"].label == "My method"
