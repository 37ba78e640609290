"""What the page is made of, part by part."""

import base64
import json
import math

import numpy as np
import pytest
from jinja2 import UndefinedError

from amb.errors import InputError
from amb.reporting.study_page.axis import Axis, axis_of
from amb.reporting.study_page.claim_words import plain_sentence
from amb.reporting.study_page.document import json_for_script
from amb.reporting.study_page.effect_plot import effect_plot
from amb.reporting.study_page.figure_list import FIGURES
from amb.reporting.study_page.folder import open_folder
from amb.reporting.study_page.fragments import parts_of
from amb.reporting.study_page.packing import packing_for
from amb.reporting.study_page.report_captions import caption_file, caption_params, render_caption
from amb.reporting.study_page.table_list import read_tables
from amb.reporting.study_page.unbroken import unbroken
from amb.reporting.study_page.utterances import read_utterances, utterance_payload
from amb.reporting.study_page.verdict_cards import verdicts_of

TABLE = """# Title

| Method | Scope | Gain |
| :--- | :--- | ---: |
| AMB \\<b\\> | here | +1 |
|  | **there** | −2 |

Below.

## More

### Deeper

Text <script>alert(1)</script>.
"""


def claim(**changes):
    numbers = {"estimate": 0.024, "ci_low": -0.03, "ci_high": 0.078, "verdict": "inconclusive"}
    return {
        "id": "a-claim",
        "statement": "AMB is better",
        "kind": "ordering",
        "metric": "mae",
        "contrast": {
            "a": "amb",
            "b": "other",
            "form": "relative",
            "labels": {"a": "AMB", "b": "B"},
        },
        "sesoi": 0.01,
        "headline_scope": "fixed_set",
        "scopes": {"fixed_set": numbers, "population": {**numbers, "ci_high": 0.086}},
        "verdict": "inconclusive",
        "reason": "Because.",
        **changes,
    }


def test_rows_have_headings_and_a_blank_one_repeats_the_one_above():
    title, more, deeper = parts_of(TABLE, "comparison")
    assert (title.title, title.level, more.level, deeper.level) == ("Title", 1, 2, 3)
    assert '<th scope="col" class="num">Gain' in title.html
    assert '<th scope="row">AMB &lt;b&gt;</th><td>here</td>' in title.html.replace("\n", "")
    assert '<th scope="row"><span class="visually-hidden">AMB &lt;b&gt;</span></th>' in title.html
    assert "<td><strong>there</strong></td>" in title.html
    assert "style=" not in title.html
    assert "&lt;script&gt;" in deeper.html


def test_an_axis_has_round_ticks_and_holds_all_values():
    axis = axis_of([-3.1, 7.8, 0.0])
    assert axis.ticks() == [0.0, 5.0]
    assert axis.place(-3.1) == 6.0
    assert axis.place(7.8) == 94.0
    assert axis_of([2.0, 2.0]) == Axis(1.5, 2.5)


def test_the_picture_shows_the_band_zero_and_both_scopes_in_print_units():
    plot = effect_plot(claim(), "AMB is better")
    assert [row.is_headline for row in plot.rows] == [True, False]
    axis = axis_of([-3.0, 8.6])
    assert plot.rows[0].high == axis.place(7.8)
    assert plot.zero == axis.place(0.0)
    assert plot.band[0] == axis.place(-1.0)
    assert math.isclose(plot.band[1], axis.place(1.0) - axis.place(-1.0), abs_tol=0.02)
    assert plot.unit == "relative gain, %"


def test_a_claim_of_a_size_has_its_band_around_that_size():
    plot = effect_plot(claim(kind="magnitude", sesoi=None, claimed=0.034, margin=0.01), "better")
    axis = axis_of([-3.0, 8.6])
    assert plot.band[0] == axis.place(2.4)
    assert plot.band_meaning == "as large as claimed"


def test_a_claim_without_an_interval_has_no_picture():
    unknown = {"estimate": 0.1, "ci_low": None, "ci_high": None}
    assert effect_plot(claim(scopes={"fixed_set": unknown, "population": None}), "better") is None


@pytest.mark.parametrize(
    ("kind", "verdict", "words"),
    [
        ("ordering", "reproduced", "AMB is better than B in MAE. New seeds would show the same"),
        ("ordering", "not reproduced", "not better than B in MAE by an amount that would matter"),
        ("magnitude", "real but smaller than claimed", "less than the claimed +3.4 %"),
        ("noninferiority", "inconclusive", "cannot tell whether AMB loses more under noise"),
        ("unheard-of", "reproduced", "Because."),
    ],
)
def test_verdicts_are_told_in_words(kind, verdict, words):
    assert words in plain_sentence(claim(kind=kind, verdict=verdict, claimed=0.034))


def test_a_verdict_tells_where_the_other_scope_disagrees():
    told = plain_sentence(claim(verdict="reproduced"))
    assert told.endswith("For other videos: inconclusive.")


def test_cards_count_verdicts_and_set_untested_claims_apart():
    untested = claim(id="b", verdict="not tested", reason="not tested: no such row", scopes={})
    found = verdicts_of({"claims": [claim(), untested], "alpha": 0.05})
    assert found.tally == (("inconclusive", "inconclusive", 1), ("not tested", "untested", 1))
    assert found.untested == (("claim-b", "AMB is better", "no such row"),)
    assert [row.effect for row in found.cards[0].scopes] == ["+2.4 %", "+2.4 %"]


def test_no_text_ends_the_data_or_the_line():
    value = {"text": "</script><!--\u2028&\u2029"}
    encoded = json_for_script(value)
    assert not set("<>&\u2028\u2029") & set(encoded)
    assert json.loads(encoded) == value


def test_numbers_come_back_within_half_a_unit():
    values = np.array([[-3.0, 0.12345], [2.6666667, 1.0]])
    packing = packing_for(values)
    whole = np.frombuffer(base64.b64decode(packing.pack(values)), dtype="<i2")
    assert packing.decimals == 3
    np.testing.assert_allclose(whole / 1000, values.ravel(), atol=0.0005)
    assert packing_for(np.array([1200.0])).decimals == 1
    assert packing_for(np.array([1e9])).decimals == 0


def test_where_there_is_no_room_the_utterances_of_most_disagreement_stay(small_study):
    study, results = small_study
    found = read_utterances(open_folder(results, study))
    assert found.methods == ["amb", "finetuned_fusion", "finetuned_late"]  # no control
    everything = utterance_payload(found, 10_000_000)
    assert everything["ids"] == found.ids
    few = utterance_payload(found, 1500)
    assert 0 < len(few["ids"]) < len(found.ids)
    order = np.argsort(-found.disagreement, kind="stable")[: len(few["ids"])]
    assert set(few["ids"]) == {found.ids[place] for place in order}
    assert few["total"] == len(found.ids)


def test_tables_stand_in_the_readers_order_and_unknown_ones_last(own_results):
    _, results = own_results
    (results / "tables" / "a_new_one.md").write_text("# Brand new\n\nWords.\n", encoding="utf-8")
    tables = read_tables(results)
    names = ["comparison", "ties", "metric_variants", "a_new_one"]
    assert [table.name for table in tables] == names
    assert tables[-1].title == "Brand new"
    differences = tables[0].details[0]
    assert [part.title for part in differences][:2] == ["Differences to the reference", "MAE"]


def test_every_listed_caption_is_filled_in_with_what_the_page_knows(small_study):
    params = caption_params(open_folder(small_study[1], small_study[0]))
    files = [file for entry in FIGURES if (file := caption_file(entry.name))]
    assert len(files) >= 3
    for file in files:
        assert "{{" not in render_caption(file, params)


def test_a_caption_that_wants_something_unknown_is_an_error(tmp_path):
    file = tmp_path / "c.rst"
    file.write_text("{{ snakemake.params.unheard }}", encoding="utf-8")
    with pytest.raises(UndefinedError, match="unheard"):
        render_caption(file, {})


def test_captions_keep_literals_apart_from_emphasis(tmp_path):
    file = tmp_path / "c.rst"
    file.write_text("Mark ``*`` and *this* & ``†``.\n\nNext.", encoding="utf-8")
    text = "<p>Mark <code>*</code> and <em>this</em> &amp; <code>†</code>.</p>\n<p>Next.</p>"
    assert render_caption(file, {}) == text


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        open_folder(tmp_path / "none", None)
    with pytest.raises(InputError, match=r"study.json.*no such file"):
        open_folder(tmp_path, None)


def test_a_metrics_name_keeps_its_hyphen_and_other_words_break_there():
    found = unbroken("AMB + layer-wise fusion in Acc-7 by -3")
    assert found == "AMB + layer-wise fusion in Acc-\N{WORD JOINER}7 by -3"
    (table,) = parts_of("| Acc-2 (non-0) ↑ |\n|---:|\n| Acc-2 |", "table")
    assert "Acc-\N{WORD JOINER}2 (non-\N{WORD JOINER}0)\N{NO-BREAK SPACE}↑</th>" in table.html
    assert ">Acc-2<" in table.html
