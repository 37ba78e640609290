import pytest

from amb.errors import InputError
from amb.reporting.curves import read_curves
from amb.reporting.inputs import SUMMARY, read_object, read_table

HEADING = "method,metric,seeds,mean,std,ci_low,ci_high,n_items,n_videos\n"


def test_names_that_look_like_missing_values_stay_names(tmp_path):
    file = tmp_path / "summary.csv"
    file.write_text(HEADING + "null,mae,1,0.5,,nan,NaN,4,2\n", encoding="utf-8")
    frame = read_table(file, SUMMARY)
    assert frame["method"].tolist() == ["null"]
    assert frame[["std", "ci_low", "ci_high"]].isna().all(axis=None)


def test_faults_of_a_table_are_named(tmp_path):
    file = tmp_path / "summary.csv"
    with pytest.raises(InputError, match="no such file"):
        read_table(file, SUMMARY)
    file.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="heading"):
        read_table(file, SUMMARY)
    file.write_text("method,metric\na,b\n", encoding="utf-8")
    with pytest.raises(InputError, match="also seeds, mean"):
        read_table(file, SUMMARY)
    file.write_text(HEADING + "amb,mae,1,0.5,0,0,0,4,2\namb,corr,1,high,0,0,0,4,2\n", "utf-8")
    with pytest.raises(InputError, match="mean, row 3: found 'high', expected a number"):
        read_table(file, SUMMARY)


def test_faults_of_claims_are_named(tmp_path):
    file = tmp_path / "claims.json"
    for content, message in (("{", "JSON"), ("[]", "list"), ('{"claims": 3}', "expected claims")):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            read_object(file, "claims", list, "the tested claims")


def test_only_the_seeds_of_the_study_are_read(results):
    few = {"amb": [1111, 1113]}
    assert set(read_curves(results.folder / "runs", few)["seed"]) == {1111, 1113}
    with pytest.raises(InputError, match=r"seed9.*curve.csv"):
        read_curves(results.folder / "runs", {"amb": [9]})
