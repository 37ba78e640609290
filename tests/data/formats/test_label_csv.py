"""Tables of texts and labels."""

import pytest

from amb.data.contract import checked
from amb.data.formats.label_csv import read_label_csv
from amb.errors import InputError

OPTIONS = {"dataset": "other", "file": "label.csv"}
TABLE = """video_id,clip_id,text,label,mode
v2,1,NA,0.5,valid
v1,1,"well, fine",-1,train
v3,7,null,3.0,test
v1,2,bad,-2.5,train
"""


def test_a_table_becomes_text_only_utterances_split_by_split(tmp_path):
    (tmp_path / "label.csv").write_text(TABLE)
    data = checked(read_label_csv(OPTIONS, tmp_path), "study")
    assert data.utterances["id"].tolist() == ["v1$_$1", "v1$_$2", "v2$_$1", "v3$_$7"]
    assert data.utterances["text"].tolist() == ["well, fine", "bad", "NA", "null"]
    assert data.labels["label"].tolist() == [-1, -2.5, 0.5, 3]
    assert data.features == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("label,mode", "score,mode", "columns: .*expected column label too"),
        ("-2.5", "bad", "label, row 5: found 'bad', expected a number"),
        (",test", ",exam", "mode, row 4: found 'exam', expected one of"),
        ("v1,2", "v1,1", r"unique ids: v1\$_\$1: found '2 utterances', expected 'one'|unique ids"),
        ("v3,7", "v1,7", "disjoint splits: video v1"),
        ("3.0", "3.5", r"label range: v3\$_\$7: found 3.5"),
    ],
)
def test_broken_tables_are_refused_by_place(tmp_path, old, new, message):
    (tmp_path / "label.csv").write_text(TABLE.replace(old, new))
    with pytest.raises(InputError, match=message):
        checked(read_label_csv(OPTIONS, tmp_path), "study")


def test_the_real_table_is_read_and_its_release_named(real_data):
    options = {"dataset": "mosei", "file": "mosei/label.csv"}
    data = checked(read_label_csv(options, real_data), "study")
    assert data.utterances["split"].value_counts().to_dict() == {
        "train": 16274, "test": 4653, "valid": 1861,
    }  # fmt: skip
    assert data.facts["release"].startswith("label.csv, 22,788")
