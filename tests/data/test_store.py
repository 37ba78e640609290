import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file

from amb.data.dataset import Dataset
from amb.data.firewall import read_test_labels
from amb.data.ragged import Ragged
from amb.data.store import Store
from amb.data.store_writer import write_store
from amb.data.tables import check_file_hashes
from amb.errors import InputError
from amb.files import sha256_of


@pytest.fixture
def store_folder(tmp_path: Path, tiny_dataset: Dataset) -> Path:
    write(tmp_path / "store", tiny_dataset)
    return tmp_path / "store"


def write(path: Path, dataset: Dataset) -> None:
    write_store(path, dataset, {"reader": "tiny"})


def edit_card(folder: Path, change: Callable[[dict], None]) -> None:
    card = json.loads((folder / "card.json").read_text())
    change(card)
    (folder / "card.json").write_text(json.dumps(card))


def edit_features(folder: Path, change: Callable[[dict], None]) -> None:
    tensors = load_file(folder / "features.safetensors")
    change(tensors)
    save_file(tensors, folder / "features.safetensors")


def test_what_is_written_is_read(store_folder: Path, tiny_dataset: Dataset) -> None:
    store = Store.open(store_folder)
    assert store.modalities == ("audio", "visual")
    assert store.dimensions == {"audio": 3, "visual": 2}
    assert store.word_aligned == {"audio": True, "visual": False}
    assert store.utterances["words"].tolist() == tiny_dataset.utterances["words"].tolist()
    assert store.utterances["id"].tolist() == tiny_dataset.utterances["id"].tolist()
    for modality in store.modalities:
        stored, original = store.features(modality), tiny_dataset.features[modality]
        np.testing.assert_array_equal(stored.values, original.values)
        np.testing.assert_array_equal(stored.offsets, original.offsets)
    store.verify()


def test_open_labels_hold_no_test_utterance(store_folder: Path) -> None:
    labels = Store.open(store_folder).labels()
    assert labels["id"].tolist() == ["a[0]", "b[0]", "c[0]"]
    assert labels["label"].tolist() == [2.0, -1.5, 0.0]
    assert labels["label"].dtype == np.float32
    assert pq.read_table(store_folder / "labels.parquet").num_rows == 3


def test_opening_never_reads_test_labels(store_folder: Path) -> None:
    (store_folder / "labels.test.parquet").write_bytes(b"unreadable")
    store = Store.open(store_folder)
    store.labels()
    store.verify()


def test_firewall_returns_test_labels_only(store_folder: Path) -> None:
    labels = read_test_labels(store_folder)
    assert labels["id"].tolist() == ["d[0]"]
    assert labels["label"].tolist() == [-3.0]


def test_firewall_refuses_changed_test_labels(store_folder: Path) -> None:
    file = store_folder / "labels.test.parquet"
    table = pq.read_table(file).to_pandas()
    table["label"] = np.float32(1)
    table.to_parquet(file)
    with pytest.raises(InputError, match=r"labels\.test\.parquet: SHA-256"):
        read_test_labels(store_folder)
    card = json.loads((store_folder / "card.json").read_text())
    del card["test_labels_sha256"]  # as in stores that were written before there was one
    (store_folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(InputError, match=r"labels\.test\.parquet: content"):
        read_test_labels(store_folder)


def test_firewall_refuses_a_bit_that_says_nothing(store_folder: Path) -> None:
    file = store_folder / "labels.test.parquet"
    content = bytearray(file.read_bytes())
    content[content.rindex(b"parquet-cpp")] ^= 1  # who wrote the file
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"labels\.test\.parquet: SHA-256"):
        read_test_labels(store_folder)


def test_card_says_nothing_about_test_labels(store_folder: Path) -> None:
    assert Store.open(store_folder).card["label_range"] == [-1.5, 2.0]


def test_normalisation_is_of_the_train_split(store_folder: Path, tiny_dataset: Dataset) -> None:
    statistics = Store.open(store_folder).card["normalisation"]["audio"]
    train = tiny_dataset.features["audio"].values[:3]
    np.testing.assert_allclose(statistics["mean"], train.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(statistics["std"], train.std(axis=0), rtol=1e-5)


def test_content_hash_is_of_values_not_of_files(store_folder: Path, tiny_dataset: Dataset) -> None:
    before = Store.open(store_folder).content_hash
    again = store_folder.parent / "again"
    write(again, tiny_dataset)
    table = pq.read_table(again / "utterances.parquet")
    pq.write_table(table, again / "utterances.parquet", compression="NONE")
    store = Store.open(again)
    store.verify()
    assert store.content_hash == before


@pytest.mark.parametrize("part", ["text", "label", "test label", "feature", "alignment"])
def test_content_hash_changes_with_any_value(
    store_folder: Path, tiny_dataset: Dataset, part: str
) -> None:
    before = Store.open(store_folder).content_hash
    if part == "text":
        tiny_dataset.utterances.loc[0, "text"] = "good movie"
    elif part == "label":
        tiny_dataset.labels.loc[0, "label"] = np.float32(2.5)
    elif part == "test label":
        tiny_dataset.labels.loc[3, "label"] = np.float32(-2.5)
    elif part == "feature":
        tiny_dataset.features["visual"].values[0, 0] += 1
    else:
        tiny_dataset.word_aligned["audio"] = False
    write(store_folder, tiny_dataset)
    assert Store.open(store_folder).content_hash != before


def test_interrupted_writing_leaves_no_store(tmp_path: Path, tiny_dataset: Dataset) -> None:
    wrong = tiny_dataset.utterances.assign(words=[[1], [2], [3], [4]])
    with pytest.raises(TypeError, match="Expected bytes"):
        write(tmp_path / "s", dataclasses.replace(tiny_dataset, utterances=wrong))
    assert list(tmp_path.iterdir()) == []


def test_text_only_store_opens(tmp_path: Path, tiny_dataset: Dataset) -> None:
    write(tmp_path / "s", dataclasses.replace(tiny_dataset, features={}))
    store = Store.open(tmp_path / "s")
    assert store.modalities == ()
    with pytest.raises(InputError, match="found 'text only', expected audio too"):
        store.features("audio")


@pytest.mark.parametrize(
    "name", ["card.json", "utterances.parquet", "features.safetensors", "labels.parquet"]
)
def test_missing_file_is_named(store_folder: Path, name: str) -> None:
    (store_folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: file: found 'no such file'"):
        Store.open(store_folder)


@pytest.mark.parametrize(
    "name", ["card.json", "utterances.parquet", "features.safetensors", "labels.parquet"]
)
def test_damaged_file_is_named(store_folder: Path, name: str) -> None:
    (store_folder / name).write_bytes(b"{ damaged")
    with pytest.raises(InputError, match=name):
        Store.open(store_folder)


def test_other_schema_version_is_refused(store_folder: Path) -> None:
    edit_card(store_folder, lambda card: card.update(schema=99))
    with pytest.raises(InputError, match="schema: found 99, expected 2"):
        Store.open(store_folder)


def test_row_count_that_differs_from_the_card_is_refused(store_folder: Path) -> None:
    edit_card(store_folder, lambda card: card["counts"]["train"].update(utterances=5))
    with pytest.raises(InputError, match="train rows: found 2, expected 5"):
        Store.open(store_folder)


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([0, 2, 2, 6, 8], r"audio_offsets\[2\]: found 2, expected more than the 2"),
        ([0, 2, 3, 6, 7], "found '0 to 7', expected 0 to 8"),
        ([0, 3, 6, 8], r"expected I64 \(5,\)"),
        ([0, 1, 3, 6, 8], "audio frames of utterance 0: found 1, expected 2, one a word"),
    ],
)
def test_inconsistent_offsets_are_refused(
    store_folder: Path, offsets: list[int], message: str
) -> None:
    edit_features(store_folder, lambda t: t.update(audio_offsets=np.array(offsets)))
    with pytest.raises(InputError, match=message):
        Store.open(store_folder)


def test_features_of_another_dimension_are_refused(store_folder: Path) -> None:
    edit_features(store_folder, lambda t: t.update(audio=t["audio"][:, :2].copy()))
    with pytest.raises(InputError, match=r"audio: found 'F32 \(8, 2\)', expected F32 .*3"):
        Store.open(store_folder)


def test_labels_of_a_test_utterance_among_the_open_ones_are_refused(store_folder: Path) -> None:
    (store_folder / "labels.parquet").write_bytes(
        (store_folder / "labels.test.parquet").read_bytes()
    )
    with pytest.raises(InputError, match="those of the train and valid utterances"):
        Store.open(store_folder)


def test_changed_values_fail_verification(store_folder: Path) -> None:
    edit_features(store_folder, lambda t: t.update(visual=t["visual"] + np.float32(1)))
    with pytest.raises(InputError, match="content of visual"):
        Store.open(store_folder).verify()


@pytest.mark.parametrize("name", ["features.safetensors", "labels.parquet", "utterances.parquet"])
def test_a_turned_bit_in_a_file_is_named_with_both_hashes(store_folder: Path, name: str) -> None:
    check_file_hashes(store_folder)
    file = store_folder / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: SHA-256: found '{sha256_of(file)}', expected"):
        check_file_hashes(store_folder)


def test_a_card_that_is_not_of_its_content_is_refused(store_folder: Path) -> None:
    edit_card(store_folder, lambda card: card.update(content_hash="0" * 64))
    with pytest.raises(InputError, match="content_hash: found '0000"):
        check_file_hashes(store_folder)


def test_features_are_float32_whatever_was_given(tmp_path: Path, tiny_dataset: Dataset) -> None:
    audio = tiny_dataset.features["audio"]
    tiny_dataset.features["audio"] = Ragged(audio.values.astype(np.float64), audio.offsets)
    write(tmp_path / "s", tiny_dataset)
    assert Store.open(tmp_path / "s").features("audio").values.dtype == np.float32


def test_importing_the_store_imports_no_torch() -> None:
    code = "import sys, amb.data.store, amb.data.prepare; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_evaluation_and_peeking_import_the_firewall() -> None:
    root = Path(__file__).parents[2]
    importers = {
        file.relative_to(root).as_posix()
        for package in ("amb", "baselines")
        for file in (root / package).rglob("*.py")
        if "data.firewall" in file.read_text(encoding="utf-8")
    }
    # The trial names it in words: it refuses a method that imports it.
    importers.discard("amb/training/trial/labels.py")
    assert importers == {"amb/evaluation/predict.py", "amb/peeking/retrain.py"}


def test_few_nonfinite_values_become_zero_and_are_counted(
    tmp_path: Path, tiny_dataset: Dataset
) -> None:
    audio = tiny_dataset.features["audio"]
    wide = Ragged(np.tile(audio.values, (1, 30)), audio.offsets)
    wide.values[1, 2], wide.values[5, 0], wide.values[5, 7] = -np.inf, np.nan, np.inf
    features = {**tiny_dataset.features, "audio": wide}
    write(tmp_path / "s", dataclasses.replace(tiny_dataset, features=features))
    store = Store.open(tmp_path / "s")
    assert store.card["repairs"]["audio_nonfinite_values_set_to_0"] == 3
    assert store.card["repairs"]["visual_nonfinite_values_set_to_0"] == 0
    expected = np.where(np.isfinite(wide.values), wide.values, 0)
    np.testing.assert_array_equal(store.features("audio").values, expected)


def test_many_nonfinite_values_are_refused_and_nothing_is_left(
    tmp_path: Path, tiny_dataset: Dataset
) -> None:
    tiny_dataset.features["audio"].values[2] = np.nan  # b[0]: 3 of 24 values
    expected = r"study: finite audio features: b\[0\].*12\.5% NaN.*5% at most"
    with pytest.raises(InputError, match=expected):
        write_store(tmp_path / "s", tiny_dataset, named="study")
    assert list(tmp_path.iterdir()) == []
    write_store(tmp_path / "s", tiny_dataset, largest_nonfinite_share=0.2)
    assert Store.open(tmp_path / "s").card["repairs"]["audio_nonfinite_values_set_to_0"] == 3


def test_features_are_mapped_and_not_read(store_folder: Path) -> None:
    values = Store.open(store_folder).features("audio").values
    assert isinstance(values.base, np.memmap)


def test_the_file_of_features_is_an_ordinary_safetensors_file(store_folder: Path) -> None:
    tensors = load_file(store_folder / "features.safetensors")
    store = Store.open(store_folder)
    for modality in store.modalities:
        np.testing.assert_array_equal(tensors[modality], store.features(modality).values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.assign(id="same"), "unique ids: same"),
        (lambda table: table.assign(video="one"), "disjoint splits: video one"),
        (lambda table: table.assign(text=" "), "text: a"),
    ],
)
def test_a_store_that_breaks_the_contract_is_refused_when_opened(
    store_folder: Path, change: Callable, message: str
) -> None:
    file = store_folder / "utterances.parquet"
    change(pq.read_table(file).to_pandas()).to_parquet(file)
    with pytest.raises(InputError, match=message):
        Store.open(store_folder)


def test_the_card_describes_the_store_in_croissant(store_folder: Path) -> None:
    card = Store.open(store_folder).card
    described = card["croissant"]
    assert described["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert described["identifier"] == card["content_hash"]
    for entry in described["distribution"]:
        assert sha256_of(store_folder / entry["contentUrl"]) == entry["sha256"]
    names = {entry["@id"] for entry in described["distribution"]}
    for records in described["recordSet"]:
        columns = pq.read_schema(store_folder / records["field"][0]["source"]["fileObject"]["@id"])
        for own in records["field"]:
            assert own["source"]["fileObject"]["@id"] in names
            assert own["source"]["extract"]["column"] in columns.names
