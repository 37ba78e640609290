"""Computational sequences, with files written by the test."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from amb.data.contract import checked
from amb.data.formats.csd import read_csd
from amb.data.formats.folds import read_folds
from amb.data.formats.sequence import open_sequence
from amb.errors import InputError

FOLDS = "standard_train_fold = ['a']\nstandard_valid_fold=['b']\nstandard_test_fold=['c']\n"
# Two utterances a video; c's second interval is shorter than a word.
LABELS = {
    "a": ([[0, 2], [2, 4]], [[1.0], [-1.0]]),
    "b": ([[0, 2], [2, 4]], [[0.5], [2.0]]),
    "c": ([[0, 2], [2.5, 2.5]], [[-3.0], [0.0]]),
}
SPOKEN = ([[0, 1], [1, 2], [2, 3], [3, 4]], [[b"Oh"], [b"sp"], [b"good"], [b"film"]])
OPTIONS = {
    "dataset": "other",
    "labels": "labels.csd",
    "folds": "folds.txt",
    "text": "words.csd",
    "audio": "audio.csd",
}


@pytest.fixture
def folder(tmp_path: Path, write_csd: Callable[..., Path]) -> Path:
    """A small data set: three videos, timestamped words, audio frames twice a second."""
    (tmp_path / "folds.txt").write_text(FOLDS)
    write_csd(tmp_path / "labels.csd", LABELS)
    write_csd(tmp_path / "words.csd", dict.fromkeys("abc", SPOKEN), md5="asdfasd")
    times = np.arange(0, 4, 0.5)
    frames = (np.stack([times, times + 0.5], axis=1), np.stack([times, -times], axis=1))
    write_csd(tmp_path / "audio.csd", dict.fromkeys("abc", frames))
    return tmp_path


def test_words_are_those_whose_midpoint_lies_in_the_utterance(folder: Path) -> None:
    dataset = read_csd(OPTIONS, folder)
    utterances = dataset.utterances.set_index("id")
    assert utterances.loc["a[0]", "words"] == ["Oh"]  # the pause "sp" is dropped
    assert utterances.loc["a[1]", "text"] == "good film"
    assert utterances["split"].tolist() == ["train"] * 2 + ["valid"] * 2 + ["test"] * 2
    assert dataset.labels["label"].tolist() == [1.0, -1.0, 0.5, 2.0, -3.0, 0.0]


def test_utterance_shorter_than_a_word_gets_the_word_at_its_midpoint(folder: Path) -> None:
    dataset = read_csd(OPTIONS, folder)
    assert dataset.utterances.set_index("id").loc["c[1]", "words"] == ["good"]
    assert dataset.repairs["utterances_given_the_word_at_their_midpoint"] == 1


def test_utterance_without_any_word_is_refused(
    folder: Path, write_csd: Callable[..., Path]
) -> None:
    silent = ([[0, 1], [1, 2], [2, 3]], [[b"Oh"], [b"so"], [b"sp"]])
    write_csd(folder / "words.csd", dict.fromkeys("abc", silent))
    with pytest.raises(InputError, match=r"words: a\[1\]: found 'no word from 2.00 s to 4.00 s'"):
        read_csd(OPTIONS, folder)


def test_frames_are_averaged_within_words(folder: Path) -> None:
    dataset = read_csd(OPTIONS, folder)
    assert dataset.word_aligned == {"audio": True}
    # a[1]: frames at 2.0, 2.5 overlap "good", frames at 3.0, 3.5 "film"
    np.testing.assert_allclose(dataset.features["audio"][1], [[2.25, -2.25], [3.25, -3.25]])
    checked(dataset, "study")


def test_word_without_frames_is_counted_and_missing(
    folder: Path, write_csd: Callable[..., Path]
) -> None:
    frames = ([[0, 0.9], [2, 2.5]], [[1.0], [2.0]])
    write_csd(folder / "audio.csd", dict.fromkeys("abc", frames))
    dataset = read_csd(OPTIONS, folder)
    assert np.isnan(dataset.features["audio"][1][1, 0])  # "film" of a[1]
    assert dataset.repairs["audio_rows_missing"] == 2  # and of b[1]


def test_one_row_an_utterance_is_taken_as_it_is(
    folder: Path, write_csd: Callable[..., Path]
) -> None:
    rows = {v: (times, [[float(i), 7.0] for i in range(2)]) for v, (times, _) in LABELS.items()}
    write_csd(folder / "audio.csd", rows)
    dataset = read_csd(OPTIONS, folder)
    assert dataset.word_aligned == {"audio": False}
    assert dataset.features["audio"].lengths.tolist() == [1] * 6
    audio = np.concatenate(list(dataset.features["audio"].chunks()))
    assert audio[:, 0].tolist() == [0, 1] * 3


def test_frames_are_cut_to_the_utterance_where_words_have_no_times(folder: Path) -> None:
    (folder / "text.csv").write_text(
        "video_id,clip_id,text,start\n"
        + "".join(f"{v},{i},SOME WORDS,{LABELS[v][0][i][0]}\n" for v in "abc" for i in range(2))
    )
    dataset = read_csd({**OPTIONS, "text": "text.csv"}, folder)
    assert dataset.word_aligned == {"audio": False}
    assert dataset.features["audio"][1][:, 0].tolist() == [2.0, 2.5, 3.0, 3.5]
    assert dataset.utterances["words"].iloc[0] == ["SOME", "WORDS"]
    # the zero-length utterance holds no frame's midpoint
    assert dataset.repairs["audio_rows_missing"] == 1


def test_video_absent_from_a_feature_file_is_missing_not_shifted(
    folder: Path, write_csd: Callable[..., Path]
) -> None:
    rows = {v: (LABELS[v][0], [[1.0], [2.0]]) for v in "ac"}
    write_csd(folder / "audio.csd", rows)
    audio = read_csd(OPTIONS, folder).features["audio"]
    first = np.concatenate(list(audio.chunks()))[:, 0]
    np.testing.assert_array_equal(first, [1, 2, np.nan, np.nan, 1, 2])


def test_videos_outside_the_folds_are_left_out_and_counted(
    folder: Path, write_csd: Callable[..., Path]
) -> None:
    write_csd(folder / "labels.csd", {**LABELS, "zz": ([[0, 1]], [[9.0]])})
    dataset = read_csd(OPTIONS, folder)
    assert "zz" not in set(dataset.utterances["video"])
    assert dataset.repairs["videos_in_no_fold"] == 1


def test_sources_are_named_relatively_with_their_hash(folder: Path) -> None:
    sources = read_csd(OPTIONS, folder).sources
    assert [source["key"] for source in sources] == ["labels", "folds", "text", "audio"]
    assert sources[1]["name"] == "folds.txt"
    assert sources[1]["bytes"] == len(FOLDS)
    assert len(sources[1]["sha256"]) == 64


def transcripts(folder: Path, rows: list[str], header: str) -> dict[str, str]:
    (folder / "text.csv").write_text("\n".join([header, *rows]) + "\n")
    return {**OPTIONS, "text": "text.csv"}


def test_transcripts_in_another_order_are_matched_by_start(folder: Path) -> None:
    rows = ["a,2,NA", "a,0,null", "b,0,x", "b,2,y", "c,0,u", "c,2.5,v"]
    options = transcripts(folder, rows, "video_id,start,text")
    assert read_csd(options, folder).utterances["text"].tolist() == ["null", "NA", *"xyuv"]


def test_superfluous_transcripts_are_counted(folder: Path) -> None:
    rows = ["a,0,p", "a,1,extra", "a,2,q", "b,0,x", "b,2,y", "c,0,u", "c,2.5,v"]
    dataset = read_csd(transcripts(folder, rows, "video_id,start,text"), folder)
    assert dataset.utterances["text"].tolist() == list("pqxyuv")
    assert dataset.repairs["transcripts_of_no_utterance"] == 1


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (["a,0,p", "a,1,q"], "video_id,start,text", r"a\[1\]: found '0 transcripts that start at"),
        (["a,p"], "video_id,text", "rows of a: found 1, expected 2, one an utterance"),
        (["a,p,1", "a,q,1"], "video_id,text,label", r"label: a\[1\]: found 1.0, expected -1"),
        (["b,p", "b,q"], "video_id,text", "video_id: found 'no a'"),
        (["a,p", "a,q"], "video,text", "columns: found 'video, text', expected column video_id"),
        (["a,p,?", "a,q,?"], "video_id,text,start", "column start"),
    ],
)
def test_transcripts_that_do_not_fit_are_refused(
    folder: Path, rows: list[str], header: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_csd(transcripts(folder, rows, header), folder)


def test_folds_are_parsed_and_never_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    file = tmp_path / "folds.py"
    file.write_text(f"open({str(marker)!r}, 'w')\nimport os\n{FOLDS}")
    assert read_folds(file) == {"a": "train", "b": "valid", "c": "test"}
    assert not marker.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("standard_train_fold=['a'", "text: found"),
        ("standard_train_fold=['a']", "standard_valid_fold: found 'no such list'"),
        (FOLDS.replace("'b'", "'a'"), "standard_valid_fold: found 'a'"),
        (FOLDS.replace("['b']", "list('b')"), "standard_valid_fold: found 'no such list'"),
        (FOLDS.replace("['b']", "(" * 5000 + ")" * 5000), "text: found"),
    ],
)
def test_broken_folds_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "folds.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        read_folds(tmp_path / "folds.txt")


def refuses(file: Path, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_all(file)


def read_all(file: Path) -> None:
    with open_sequence(file) as sequence:
        for video in sequence.videos:
            sequence.intervals(video)
            sequence.numbers(video)


def test_soft_and_external_links_are_refused(
    tmp_path: Path, write_csd: Callable[..., Path]
) -> None:
    write_csd(tmp_path / "other.csd", {"v": ([[0, 1]], [[1.0]])}, root="r")
    for link in (h5py.SoftLink("/r/x"), h5py.ExternalLink("other.csd", "/r/data/v")):
        file = write_csd(tmp_path / "f.csd", {}, root="r", note="x")
        with h5py.File(file, "a") as opened:
            opened["r/x/y"] = 1
            opened.create_group("r/data")["v"] = link
        refuses(file, f"/r/data/v: found '{type(link).__name__}', expected no soft or external")


def test_virtual_and_external_data_are_refused(
    tmp_path: Path, write_csd: Callable[..., Path]
) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(64))
    source = write_csd(tmp_path / "source.csd", {"v": ([[0, 1]], [[1.0]])}, root="r")
    file = tmp_path / "f.csd"
    with h5py.File(file, "w") as opened:
        group = opened.create_group("r/data/v")
        group["intervals"] = np.array([[0.0, 1.0]])
        group.create_dataset("features", (1, 4), "f4", external=[(secret, 0, 64)])
    refuses(file, "v/features: found 'data in another file'")
    with h5py.File(file, "w") as opened:
        group = opened.create_group("r/data/v")
        group["intervals"] = np.array([[0.0, 1.0]])
        layout = h5py.VirtualLayout((1, 1), "f8")
        layout[:] = h5py.VirtualSource(source, "r/data/v/features", (1, 1))
        group.create_virtual_dataset("features", layout)
    refuses(file, "v/features: found 'data in another file'")


def test_absurd_shape_is_refused_without_being_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "f.csd", "w") as opened:
        group = opened.create_group("r/data/v")
        group["intervals"] = np.array([[0.0, 1.0]])
        group.create_dataset("features", (1, 10**12), "f4", chunks=(1, 1000))
    refuses(tmp_path / "f.csd", r"v/features: found 'shape \(1, 1000000000000\)'")


@pytest.mark.parametrize(
    ("intervals", "features", "message"),
    [
        ([[0, 1]], [[1]], "v/features: found 'type int64', expected floating-point"),
        ([[0, 1]], [[b"word"]], "v/features: found 'type .S4', expected floating-point"),
        ([[0, 1]], [1.0], r"v/features: found 'shape \(1,\)', expected two axes"),
        ([[0, 1]], [[1.0], [2.0]], r"v/features: found 'shape \(2, 1\)', expected 1 rows"),
        ([[0, 1, 2]], [[1.0]], r"v/intervals: found 'shape \(1, 3\)'"),
        ([[0, np.nan]], [[1.0]], r"v/intervals\[0\]: found \[0.0, nan\]"),
        ([[2, 1]], [[1.0]], r"v/intervals\[0\]: found \[2.0, 1.0\], expected start ≤ end"),
    ],
)
def test_malformed_content_is_refused(
    tmp_path: Path,
    write_csd: Callable[..., Path],
    intervals: list[list[float]],
    features: list[object],
    message: str,
) -> None:
    refuses(write_csd(tmp_path / "f.csd", {"v": (intervals, features)}), message)


def test_words_may_be_strings_of_variable_length(
    tmp_path: Path, write_csd: Callable[..., Path]
) -> None:
    words = np.array([["naïve"], ["film"]], dtype=h5py.string_dtype())
    file = write_csd(tmp_path / "w.csd", {"v": ([[0, 1], [1, 2]], words)})
    with open_sequence(file) as sequence:
        assert sequence.words("v") == ["naïve", "film"]


def test_file_that_is_no_hdf5_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f.csd").write_bytes(b"pickled?")
    refuses(tmp_path / "f.csd", "expected a computational sequence")


def test_two_root_groups_are_refused(tmp_path: Path, write_csd: Callable[..., Path]) -> None:
    file = write_csd(tmp_path / "f.csd", {"v": ([[0, 1]], [[1.0]])}, root="one")
    with h5py.File(file, "a") as opened:
        opened.create_group("two/data")
    refuses(file, "root groups: found 'one, two', expected exactly one")


def test_damaged_file_is_refused(folder: Path) -> None:
    file = folder / "audio.csd"
    file.write_bytes(file.read_bytes()[:900])
    with pytest.raises(InputError, match=r"audio\.csd"):
        read_csd(OPTIONS, folder)
