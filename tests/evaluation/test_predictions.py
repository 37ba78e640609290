"""Prediction files: what is accepted, and what each refusal says."""

import random

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amb.errors import InputError
from amb.evaluation.method_runs import runs_by_method
from amb.evaluation.prediction_file import PredictionFile, follows_from
from amb.evaluation.predictions import (
    PREDICTION_COLUMNS,
    PREDICTION_SCHEMA,
    read_origin,
    run_folder,
    write_predictions,
)
from amb.evaluation.reading import (
    ITEM_COLUMNS,
    read_predictions,
    read_robustness_predictions,
    read_study_predictions,
    rows_with_corrupted,
)
from amb.study import load_study


def run_frame(method="amb", seed=1, splits=("valid", "test")):
    rows = []
    for split in splits:
        for video in ("v2", "v1"):
            for clip in range(3):
                label = {"v1": 0.5, "v2": -1.25}[video] + clip
                name = f"{split}_{video}_{clip}"
                rows.append((method, seed, split, "none", name, video, label, label + seed / 8))
    return pd.DataFrame(rows, columns=list(PREDICTION_COLUMNS))


def store(path, frame):
    """Write without any of our checks, so that a test can store what is wrong."""
    table = pa.Table.from_pandas(frame, schema=PREDICTION_SCHEMA, preserve_index=False)
    pq.write_table(table, path)
    return path


def test_predictions_come_back_as_written(tmp_path):
    frame = run_frame()
    write_predictions(tmp_path / "p.parquet", frame, {"store_sha256": "cafe"})
    assert read_origin(tmp_path / "p.parquet") == {"store_sha256": "cafe"}
    assert read_origin(tmp_path / "none.parquet") is None
    found = read_predictions([tmp_path / "p.parquet"])
    assert tuple(found.columns) == PREDICTION_COLUMNS
    assert found["label"].dtype == found["prediction"].dtype == np.float32
    expected = frame.sort_values(["split", "utterance"], ignore_index=True)
    texts = ["method", "split", "corruption", "utterance", "video"]
    pd.testing.assert_frame_equal(
        found.astype(dict.fromkeys(texts, "str")), expected, check_dtype=False
    )
    assert all(found[name].cat.categories.is_monotonic_increasing for name in texts)
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_order_of_files_and_rows_changes_nothing(tmp_path):
    for seed in (3, 1):
        store(tmp_path / f"{seed}.parquet", run_frame(seed=seed))
        store(tmp_path / f"s{seed}.parquet", run_frame(seed=seed).sample(frac=1, random_state=seed))
    one = read_predictions([tmp_path / "1.parquet", tmp_path / "3.parquet"])
    other = read_predictions([tmp_path / "s3.parquet", tmp_path / "s1.parquet"])
    pd.testing.assert_frame_equal(one, other)


def test_a_file_of_known_items_is_read_as_one_of_unknown_items(tmp_path):
    """The second file of equal items is read by its predictions alone; the third is shuffled."""
    frames = [run_frame(seed=seed).sample(frac=1, random_state=7) for seed in (4, 2)]
    frames.append(run_frame("late", seed=9).sample(frac=1, random_state=8))
    files = [store(tmp_path / f"{i}.parquet", frame) for i, frame in enumerate(frames)]
    together = read_predictions(files)
    alone = pd.concat([read_predictions([file]).astype({"method": "str"}) for file in files])
    alone = alone.sort_values(["method", "seed", "split", "utterance"], ignore_index=True)
    pd.testing.assert_frame_equal(together.astype({"method": "str"}), alone)


def test_items_count_as_known_by_their_bytes_alone(tmp_path):
    """Other predictions do not matter; a label, another order or another encoding does."""
    frame = run_frame()
    relabelled = frame.assign(label=frame["label"].where(frame.index != 3, 2.0))
    frames = [frame, run_frame("late", 9), relabelled, frame[::-1]]
    files = [store(tmp_path / f"{i}.parquet", one) for i, one in enumerate(frames)]
    table = pq.read_table(files[1])
    pq.write_table(table, tmp_path / "zipped.parquet", compression="gzip", use_dictionary=False)
    stored = [PredictionFile(file).as_stored(ITEM_COLUMNS) for file in files]
    zipped = PredictionFile(tmp_path / "zipped.parquet").as_stored(ITEM_COLUMNS)
    assert stored[0] == stored[1]
    assert all(stored[0] != other for other in (stored[2], stored[3], zipped))
    one = read_predictions([files[0], files[1]])
    pd.testing.assert_frame_equal(one, read_predictions([files[0], tmp_path / "zipped.parquet"]))


def test_a_damaged_column_is_refused(tmp_path):
    file = store(tmp_path / "bad.parquet", run_frame())
    chunk = pq.read_metadata(file).row_group(0).column(PREDICTION_COLUMNS.index("prediction"))
    content = bytearray(file.read_bytes())
    start = chunk.dictionary_page_offset
    content[start : start + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    file.write_bytes(content)
    with pytest.raises(InputError, match="expected a Parquet file"):
        read_predictions([file])


def test_a_number_that_is_not_finite_is_refused_in_a_file_of_known_items_too(tmp_path):
    bad = run_frame(seed=2)
    bad.loc[4, "prediction"] = np.inf
    with pytest.raises(InputError, match=r"b.parquet: column prediction, utterance valid_v1_1"):
        read_predictions(two_files(tmp_path, bad))


def test_a_file_of_two_runs_is_read_as_two(tmp_path):
    both = pd.concat([run_frame(seed=5), run_frame(seed=3)])
    found = read_predictions([store(tmp_path / "both.parquet", both)])
    apart = read_predictions(
        [store(tmp_path / f"{seed}.parquet", run_frame(seed=seed)) for seed in (3, 5)]
    )
    pd.testing.assert_frame_equal(found, apart)


@pytest.mark.parametrize("column", ["label", "prediction"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused_by_name(tmp_path, column, value):
    frame = run_frame()
    frame.loc[4, column] = value
    message = rf"bad.parquet: column {column}, utterance valid_v1_1: found {value}, .*finite"
    with pytest.raises(InputError, match=message):
        read_predictions([store(tmp_path / "bad.parquet", frame)])
    with pytest.raises(InputError, match=message):
        write_predictions(tmp_path / "bad.parquet", frame, {})


def test_missing_unknown_and_wrongly_typed_columns_are_refused(tmp_path):
    path = tmp_path / "bad.parquet"
    run_frame().drop(columns="video").to_parquet(path)
    with pytest.raises(InputError, match="columns: found 'no video', expected column video"):
        read_predictions([path])
    run_frame().assign(extra=1).to_parquet(path)
    with pytest.raises(InputError, match="columns: found 'extra', expected only method, seed"):
        read_predictions([path])
    run_frame().astype({"seed": str}).to_parquet(path)
    with pytest.raises(InputError, match=r"column seed: found '.*string', expected type int64"):
        read_predictions([path])


def test_files_that_are_missing_empty_or_not_parquet_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_predictions([tmp_path / "absent.parquet"])
    with pytest.raises(InputError, match="rows: found 0"):
        read_predictions([store(tmp_path / "empty.parquet", run_frame().iloc[:0])])
    (tmp_path / "text.parquet").write_text("method,seed\n")
    with pytest.raises(InputError, match="a Parquet file"):
        read_predictions([tmp_path / "text.parquet"])
    with pytest.raises(InputError, match="at least one prediction file"):
        read_predictions([])


def test_an_empty_cell_is_refused(tmp_path):
    frame = run_frame()
    frame.loc[2, "video"] = None
    with pytest.raises(InputError, match="column video: found 'an empty cell'"):
        read_predictions([store(tmp_path / "bad.parquet", frame)])


def test_an_unknown_split_is_refused(tmp_path):
    frame = run_frame(splits=("valid", "dev"))
    with pytest.raises(InputError, match="column split: found 'dev', expected one of train, valid"):
        read_predictions([store(tmp_path / "bad.parquet", frame)])


def test_a_row_that_is_there_twice_is_refused(tmp_path):
    frame = pd.concat([run_frame(), run_frame().iloc[[7]]])
    with pytest.raises(
        InputError, match=r"seed 1, split test.*utterance test_v2_1: found 'two rows"
    ):
        read_predictions([store(tmp_path / "bad.parquet", frame)])


def test_a_run_that_is_there_twice_is_refused(tmp_path):
    files = [store(tmp_path / name, run_frame()) for name in ("a.parquet", "b.parquet")]
    with pytest.raises(InputError, match=r"b.parquet: amb, seed 1.*same run as in .*a.parquet"):
        read_predictions(files)


def two_files(tmp_path, second):
    return [store(tmp_path / "a.parquet", run_frame()), store(tmp_path / "b.parquet", second)]


def test_runs_with_other_utterances_labels_videos_or_splits_are_refused(tmp_path):
    second = run_frame("late_fusion", 5)
    with pytest.raises(
        InputError, match=r"b.parquet: late_fusion, seed 5, .*v1_2: found 'missing'"
    ):
        read_predictions(two_files(tmp_path, second[second["utterance"] != "test_v1_2"]))
    more = pd.concat([second, second.iloc[[0]].assign(utterance="extra")])
    with pytest.raises(InputError, match="utterance extra: found 'one too many'"):
        read_predictions(two_files(tmp_path, more))
    relabelled = second.assign(label=second["label"].where(second.index != 9, 2.0))
    with pytest.raises(InputError, match=r"label of test_v1_0: found 2.0, expected 0.5, the same"):
        read_predictions(two_files(tmp_path, relabelled))
    moved = second.assign(video=second["video"].where(second.index != 9, "v9"))
    with pytest.raises(InputError, match="video of test_v1_0: found 'v9', expected v1"):
        read_predictions(two_files(tmp_path, moved))
    with pytest.raises(InputError, match="late_fusion, seed 5: found 'no split test'"):
        read_predictions(two_files(tmp_path, second[second["split"] == "valid"]))


def test_runs_are_aligned_by_seed_and_utterance_whatever_the_order_of_rows():
    frame = pd.concat([run_frame(seed=7), run_frame(seed=2)]).sample(frac=1, random_state=1)
    runs = runs_by_method(frame)["amb"]
    assert runs.seeds.tolist() == [2, 7]
    assert runs.videos.tolist() == ["v1"] * 3 + ["v2"] * 3
    np.testing.assert_allclose(runs.labels, [0.5, 1.5, 2.5, -1.25, -0.25, 0.75])
    np.testing.assert_allclose(runs.predictions, runs.labels + np.array([[0.25], [0.875]]))


def test_categories_in_any_order_arrange_runs_alike():
    """Interleaved runs, and categories that are not in alphabetical order."""
    frame = pd.concat([run_frame("b", 7), run_frame("a", 2)]).sample(frac=1, random_state=1)
    expected = runs_by_method(frame)
    texts = ["method", "split", "corruption", "utterance", "video"]
    mixed = frame.assign(
        **{name: pd.Categorical(frame[name], sorted(set(frame[name]))[::-1]) for name in texts}
    )
    found = runs_by_method(mixed)
    assert list(found) == list(expected) == ["a", "b"]
    for method in found:
        for part in ("seeds", "utterances", "videos", "labels", "predictions"):
            own, other = (getattr(runs[method], part) for runs in (found, expected))
            assert own.tolist() == other.tolist()
        assert found[method].predictions.flags.c_contiguous  # sums over items keep their order


def test_a_split_without_predictions_and_ragged_runs_are_refused():
    with pytest.raises(InputError, match=r"split: found \['test', 'valid'\], expected train"):
        runs_by_method(run_frame(), "train")
    ragged = pd.concat([run_frame(seed=7), run_frame(seed=2).iloc[:-1]])
    with pytest.raises(ValueError, match="amb: its runs do not cover the same utterances"):
        runs_by_method(ragged)


STUDY = """
schema: 1
name: tiny
data:
  reader: demo
  demo: {seed: 1, videos: {train: 2, valid: 2, test: 2}, utterances_per_video: 3,
         shares: {text: 0.5, audio: 0.1, visual: 0.1, interaction: 0.1}}
backbone: {name: minilm}
methods: {amb: {}, late_fusion: {seeds: 1}}
seeds: {first: 11, count: 2}
training: {max_epochs: 1}
statistics: {reference: late_fusion}
"""


@pytest.fixture
def study(tmp_path):
    (tmp_path / "tiny.yaml").write_text(STUDY)
    return load_study(tmp_path / "tiny.yaml")


@pytest.fixture
def runs(tmp_path):
    for method, seed in (("amb", 11), ("amb", 12), ("late_fusion", 11), ("late_fusion", 12)):
        path = run_folder(tmp_path / "runs", method, seed) / "predictions.parquet"
        write_predictions(path, run_frame(method, seed), {})
    return tmp_path / "runs"


def test_a_study_reads_exactly_its_own_runs(runs, study):
    found = read_study_predictions(runs, study)
    keys = sorted(set(found[["method", "seed"]].itertuples(index=False, name=None)))
    assert keys == [("amb", 11), ("amb", 12), ("late_fusion", 11)]
    test = read_study_predictions(runs, study, splits=("test",))
    assert test["split"].unique().tolist() == ["test"]
    rest = found[found["split"] == "test"].reset_index(drop=True)
    assert test["prediction"].tolist() == rest["prediction"].tolist()
    assert test["utterance"].tolist() == rest["utterance"].tolist()


def test_a_study_names_the_run_that_has_no_predictions(runs, study):
    (runs / "amb" / "seed12" / "predictions.parquet").unlink()
    with pytest.raises(InputError, match=r"seed12.predictions.parquet: method amb, seed 12"):
        read_study_predictions(runs, study)


def test_a_study_refuses_a_file_that_holds_another_run(runs, study):
    write_predictions(runs / "amb" / "seed12" / "predictions.parquet", run_frame("amb", 13), {})
    with pytest.raises(InputError, match=r"seed12.predictions.parquet.*another run.*amb, 12"):
        read_study_predictions(runs, study)


@pytest.fixture
def robust(runs):
    """Corrupted predictions of both runs of amb, and of a run of late_fusion not in the study."""
    for method, seed in (("amb", 11), ("amb", 12), ("late_fusion", 12)):
        noisy = run_frame(method, seed, ("test",)).assign(corruption="gaussian:audio:1:0")
        write_predictions(run_folder(runs, method, seed) / "corrupted.parquet", noisy, {})
    return runs


def test_rows_count_as_corrupted_where_all_their_runs_in_the_study_are(robust, study):
    rows = rows_with_corrupted(robust, study, ["late_fusion", "amb", "absent"])
    assert rows == ["amb"]
    found = read_robustness_predictions(robust, study, rows)
    assert set(found["corruption"]) == {"none", "gaussian:audio:1:0"}
    assert set(found["seed"]) == {11, 12}
    (robust / "amb" / "seed12" / "corrupted.parquet").unlink()
    assert rows_with_corrupted(robust, study, ["amb"]) == []


def test_corrupted_predictions_of_another_run_are_refused(robust, study):
    noisy = run_frame("amb", 13).assign(corruption="gaussian:audio:1:0")
    write_predictions(robust / "amb" / "seed12" / "corrupted.parquet", noisy, {})
    with pytest.raises(InputError, match=r"corrupted.parquet, amb, seed 12: found 'none'"):
        read_robustness_predictions(robust, study, ["amb"])


def what_reading_says(file, expected):
    """Return why a file is refused; nothing if it has what is expected."""
    try:
        found = read_predictions([file])
    except InputError as error:
        return str(error)
    pd.testing.assert_frame_equal(found, expected)
    return ""


def test_a_turned_bit_is_refused_or_changes_nothing_that_is_read(tmp_path):
    """The hash of the values finds what Parquet itself lets pass as other numbers."""
    file = tmp_path / "p.parquet"
    write_predictions(file, run_frame(), {"store_sha256": "cafe"})
    whole, expected = file.read_bytes(), read_predictions([file])
    # Up to the description at the end: with some bits of that turned, pyarrow itself crashes.
    end = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    chance, refused_by_hash = random.Random(7), 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[chance.randrange(4, end)] ^= 1 << chance.randrange(8)
        file.write_bytes(damaged)
        said = what_reading_says(file, expected)
        refused_by_hash += "SHA-256 of its values" in said
        if said:
            assert str(file) in said
            assert not follows_from(file, {"store_sha256": "cafe"})
    assert refused_by_hash > 10


def test_the_hash_of_values_survives_another_compression_and_other_writers_have_none(tmp_path):
    file = tmp_path / "p.parquet"
    write_predictions(file, run_frame(), {"store_sha256": "cafe"})
    assert follows_from(file, {"store_sha256": "cafe"})
    pq.write_table(pq.read_table(file), file, compression="zstd")
    assert follows_from(file, {"store_sha256": "cafe"})
    assert not follows_from(file, {"store_sha256": "beef"})
    assert not follows_from(tmp_path / "none.parquet", {})
    read_predictions([store(tmp_path / "others.parquet", run_frame())])


def test_the_hash_holds_where_the_items_are_known_from_another_file(tmp_path):
    """Of the second file only the predictions are decoded."""
    files = [tmp_path / f"{seed}.parquet" for seed in (1, 2)]
    for seed, file in enumerate(files, start=1):
        write_predictions(file, run_frame(seed=seed), {})
    read_predictions(files)
    frame = pd.read_parquet(files[1])
    metadata = pq.read_schema(files[1]).metadata
    frame.loc[2, "prediction"] += np.float32(1)
    table = pa.Table.from_pandas(frame, schema=PREDICTION_SCHEMA, preserve_index=False)
    pq.write_table(table.replace_schema_metadata(metadata), files[1])
    with pytest.raises(InputError, match=r"2\.parquet: SHA-256 of its values"):
        read_predictions(files)
