import markdown_it

from amb.reporting.claims import latex_claims, markdown_claims, tally, write_claims


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
    assert text.replace("_", r"\_") in latex_claims(results.claims())


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
    assert "## Not tested: “S”" in text
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
