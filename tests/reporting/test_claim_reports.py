import markdown_it
import pytest

from amb.reporting.claim_texts import tally
from amb.reporting.claims import latex_claims, markdown_claims, write_claims


def test_verdict_comes_first_and_both_scopes_follow(results):
    text = markdown_claims(results.claims())
    section = text.split("\n## ")[1]
    assert section.startswith("Reproduced: “AMB can outperform its")
    assert (
        "| this test set | +3.9 % | +2.5 to +5.3 | \\<0.001 | 1.000 | 1.9 % | reproduced |"
        in section
    )
    assert "| other videos | +3.9 % | −1.2 to +9.0 | 0.260 | — | 7.3 % | inconclusive |" in section
    assert "400 utterances of 40 videos; seeds: amb 10, finetuned\\_fusion 10" in section
    assert "source: arXiv 2212.00678, abstract" in section


def test_markup_in_a_claim_stays_text(results):
    tokens = markdown_it.MarkdownIt("commonmark").parse(markdown_claims(results.claims()))
    headings = [t for t in tokens if t.type == "inline" and "outperform" in t.content]
    assert {child.type for child in headings[0].children} <= {"text", "text_special"}
    assert "*fine-tuned*" in "".join(child.content for child in headings[0].children)


def test_scope_that_was_not_tested_has_no_row_and_no_p_is_a_dash(results):
    section = markdown_claims(results.claims()).split("\n## ")[2]
    assert "other videos" not in section
    assert "| this test set | +3.9 pp | −1.2 to +9.0 | — | — | 1.9 pp | inconclusive |" in section
    assert "without collapsed runs:\n\n| Scope" in section


def test_counts_are_exact(results):
    text = "amb 612,480, finetuned_fusion 22,713,216; ratio 0.027 (registered limit: 0.1)"
    assert text.replace("_", r"\_") in markdown_claims(results.claims())
    assert text.replace("_", r"\_\allowbreak{}") in latex_claims(results.claims())


def test_collapsed_runs_are_counted(results):
    text = markdown_claims(results.claims())
    assert (
        "MAE on the valid split worse than 1.2 times that of the best constant): amb 1 of 10"
        in text
    )


def test_claim_about_a_method_that_was_not_run_has_a_verdict_and_no_numbers():
    empty = dict.fromkeys(("metric", "counts", "seeds", "n_items", "n_videos", "headline_scope"))
    claim = {
        **empty,
        "id": "x",
        "statement": "S",
        "source": {"paper": "P"},
        "contrast": {"a": "amb", "b": "gone", "form": None},
        "scopes": {},
        "verdict": "not tested",
        "reason": "not tested: method gone is not in this study",
    }
    text = markdown_claims({"claims": [claim]})
    assert "## Not tested here" in text
    assert "| S (x) | method gone is not in this study |" in text
    assert "| Scope" not in text
    assert "Not tested" in latex_claims({"claims": [claim]})


def test_tally_keeps_unknown_verdicts():
    verdicts = ["inconclusive", "reproduced", "odd", "inconclusive"]
    assert tally([{"verdict": v} for v in verdicts]) == "1 reproduced, 2 inconclusive, 1 odd"
    assert tally([]) == "no claims"


def test_latex_is_written_beside_the_markdown(results, tmp_path):
    write_claims(tmp_path / "out" / "claims.md", results.claims())
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["claims.html", "claims.md", "claims.tex"]


def of_kind(kind, **own):
    """A claim of a kind as ``amb claims`` writes it, with the keys that pages read."""
    empty = dict.fromkeys(("metric", "counts", "seeds", "n_items", "n_videos", "headline_scope"))
    claim = {
        **empty,
        "id": kind,
        "statement": f"A claim of kind {kind}",
        "source": {"paper": "P", "where": "abstract"},
        "kind": kind,
        "contrast": {"a": "amb", "b": "late", "form": None, "labels": {"a": "AMB", "b": "Late"}},
        "scopes": {},
        "verdict": "inconclusive",
        "reason": "A reason.",
        "runs": [],
    }
    return {**claim, **own}


NUMBERS = {"estimate": 0.02, "ci_low": -0.01, "ci_high": 0.05, "p_adjusted": 0.2, "mde": 0.044}
TIMING = {"hardware": "A processor", "threads": 1, "steps": 10, "pairs": 12}
RUNS = [
    {"folder": "runs/amb/seed1111", "identity_sha256": "0123456789abcdef" * 4},
    {"folder": "runs/amb/seed1112", "identity_sha256": None},
    {"folder": "runs/late/seed1111", "identity_sha256": "f" * 64},
]
KINDS = [
    of_kind(
        "number",
        metric="mae",
        contrast={"a": "amb", "b": None, "form": None, "labels": {"a": "AMB"}},
        scopes={"fixed_set": NUMBERS},
        headline_scope="fixed_set",
        seeds={"a": 5},
        published={
            **{"dataset": "mosei", "model": "MMIM (paper)", "value": 0.526, "source": "a table"},
            **{"note": "mixed epochs", "relative_gain": 0.034, "target": 0.508116, "ours": 0.54},
        },
    ),
    of_kind(
        "noninferiority",
        metric="mae",
        scopes={"fixed_set": NUMBERS, "population": NUMBERS},
        headline_scope="fixed_set",
        runs=RUNS,
        retention={
            "a": {"clean": 0.5, "noisy": 0.55, "retention": 0.909},
            "b": {"clean": 0.5, "noisy": None, "retention": None},
            "conditions": ["gaussian:audio:1", "gaussian:visual:1"],
        },
    ),
    of_kind(
        "speed",
        scopes={"this_hardware": {**NUMBERS, "estimate": 0.5, "ci_low": 0.48, "ci_high": 0.52}},
        headline_scope="this_hardware",
        timing={**TIMING, "precision": {"a": "medium", "b": "medium"}},
    ),
    of_kind(
        "all_of",
        contrast={"a": None, "b": None, "form": None, "labels": {}},
        parts=[{"id": "one", "statement": "S", "verdict": "reproduced", "headline_scope": None}],
    ),
]
TESTED = {"claims_sha256": "c" * 64, "published_sha256": "d" * 64, "alpha": 0.05, "claims": KINDS}


@pytest.mark.parametrize(
    "text",
    [
        "Published: MMIM (paper) on mosei, 0.526, improved by 3.4 %: 0.5081; ours, mean over "
        "seeds: 0.54. Source: a table (mixed epochs)",
        "Retention, mean over 2 conditions: AMB keeps 90.9 % (0.500 clean, 0.550 noisy); "
        "Late keeps undefined % (0.500 clean, undefined noisy)",
        "A processor, 1 thread, matrix precision medium, 12 pairs of blocks of 10 steps",
        "| this hardware | +0.500 | +0.480 to +0.520 | 0.200 |",
        "| this test set | +0.020 | −0.010 to +0.050 | 0.200 | — | 0.044 |",
        "The verdict is that of the scope “this hardware”",
        "one: reproduced",
        "Runs of runs/amb: seed1111 0123456789ab, seed1112",
        "Published numbers: SHA-256 " + "d" * 64,
    ],
)
def test_every_kind_shows_what_it_rests_on(text):
    assert text in markdown_claims(TESTED).replace("\\", "")


def test_latex_has_the_evidence_of_every_kind_and_the_runs():
    text = latex_claims(TESTED)
    assert "A processor, 1 thread" in text
    assert "one: reproduced" in text
    assert "Runs behind the claims." in text
    assert "seed1111 0123456789ab, seed1112" in text
    many = latex_claims({**TESTED, "claims": KINDS * 5})
    pages = many.count(r"\label{tab:claims")
    assert pages > 1
    assert f"Claims and verdicts. ({pages} of {pages})" in many
    assert many.count("Runs behind") == 1


LATE = {
    "edited_after_evaluation": True,
    "statement": "Edited after the test labels were read: new or changed: x_1.",
    "claims_changed_at": "2026-01-02T00:00:00+00:00",
    "claims_changed_at_from": "git commit",
    "first_evaluation_at": None,
    "first_evaluation_at_from": "file time",
}


def test_a_late_edit_stands_at_the_top_of_every_page(tmp_path):
    tested = {**TESTED, "registration": LATE}
    write_claims(tmp_path / "claims.md", tested)
    for suffix, bold in (
        (".md", "**Edited"),
        (".html", "<strong>Edited"),
        (".tex", "textbf{Edited"),
    ):
        text = (tmp_path / f"claims{suffix}").read_text()
        assert bold in text
        assert text.index(bold) < text.index("inconclusive" if suffix != ".tex" else "midrule")
        assert "2026-01-02T00:00:00+00:00 (git commit)" in text
        assert "at an unknown time (file time)" in text


def test_claims_that_were_registered_in_time_carry_no_warning():
    fine = {**LATE, "edited_after_evaluation": False, "statement": "All is well."}
    text = markdown_claims({**TESTED, "registration": fine})
    assert "**" not in text
    assert "All is well." in text
    unknown = {**LATE, "edited_after_evaluation": None, "statement": "It cannot be told."}
    assert "**It cannot be told.**" in markdown_claims({**TESTED, "registration": unknown})
