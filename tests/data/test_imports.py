"""From files to a store, by their content; nothing half-written whatever the files are."""

import argparse
import pickle
import random

import h5py
import numpy as np
import pytest
import yaml

from amb.cli import data as command
from amb.data.imports import ImportRequest, import_files
from amb.data.store import Store
from amb.errors import InputError
from amb.study import DATA_DEFAULTS, check_data_section

SPLITS = ("train", "valid", "test")


def tuples(video, count=4):
    rng = np.random.default_rng(len(video))
    return [
        (
            (np.array([2, 0]), rng.random((2, 3)), rng.random((2, 2)), ["so", "good"]),
            np.array([[rng.uniform(-3, 3)]]),
            f"{video}[{k}]",
        )
        for k in range(count)
    ]


@pytest.fixture
def misa(tmp_path):
    files = []
    for name, video in (("train", "a"), ("dev", "bb"), ("test", "ccc")):
        files.append(tmp_path / f"{name}.pkl")
        files[-1].write_bytes(pickle.dumps(tuples(video)))
    return files


def request(*files, **settings):
    return ImportRequest([(None, file) for file in files], **settings)


def test_three_splits_are_told_apart_by_their_names(misa, tmp_path):
    section = import_files(request(*misa), tmp_path / "store")
    store = Store.open(tmp_path / "store")
    assert section == {
        "reader": "misa",
        "misa": {"dataset": "other", "train": "train.pkl", "valid": "dev.pkl", "test": "test.pkl"},
    }
    assert store.utterances["split"].value_counts().to_dict() == dict.fromkeys(SPLITS, 4)
    check_data_section(section, tmp_path)


def test_one_split_needs_folds(misa, tmp_path):
    file = tmp_path / "dev.pkl"
    file.write_bytes(pickle.dumps(tuples("a") + tuples("bb") + tuples("ccc")))
    with pytest.raises(InputError, match=r"dev\.pkl: splits: found 'one file without folds'"):
        import_files(request(file), tmp_path / "store")
    folds = tmp_path / "folds.yaml"
    folds.write_text(yaml.safe_dump({"train": ["ccc"], "valid": ["a"], "test": ["bb"]}))
    import_files(request(file, folds=folds), tmp_path / "store")
    assert Store.open(tmp_path / "store").utterances["video"].tolist()[0] == "ccc"
    videos = zip(SPLITS, ("a", "bb", "xyz"), strict=True)
    folds = tmp_path / "folds.txt"
    folds.write_text("".join(f"standard_{split}_fold = ['{v}']\n" for split, v in videos))
    with pytest.raises(InputError, match="folds: video"):
        import_files(request(file, folds=folds), tmp_path / "store")


def test_arrays_find_their_role_by_name(tmp_path):
    files = []
    for split in SPLITS:
        for name, values in (("y", np.ones(2)), ("audio", np.ones((2, 3, 2)))):
            files.append(tmp_path / f"{name}_{split}.h5")
            with h5py.File(files[-1], "w") as opened:
                opened["d1"] = values
    section = import_files(request(*files), tmp_path / "store")
    assert section["h5"]["valid_audio"] == "audio_valid.h5"
    assert Store.open(tmp_path / "store").dimensions == {"audio": 2}


def test_a_file_without_a_role_or_with_a_taken_one_is_refused(tmp_path, write_csd, misa):
    file = write_csd(tmp_path / "x.csd", {"v": ([[0, 1]], [[1.0]])})
    with pytest.raises(InputError, match=r"role for reader csd: found 'none', expected ROLE=x"):
        import_files(request(file), tmp_path / "store")
    twice = ImportRequest([("train", misa[0]), ("train", misa[1])])
    with pytest.raises(InputError, match=r"role train: .*train\.pkl is given for it already"):
        import_files(twice, tmp_path / "store")
    with pytest.raises(InputError, match="files of one data set"):
        import_files(request(file, misa[0]), tmp_path / "store")
    with pytest.raises(InputError, match="either train, valid, test or file, folds"):
        import_files(ImportRequest([("train", misa[0])]), tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_the_command_prints_a_section_that_a_study_takes(misa, tmp_path, capsys):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    files = [f"train={misa[0]}", *map(str, misa[1:])]
    command.run(parser.parse_args(["import", *files, "--out", str(tmp_path / "store")]))
    printed = capsys.readouterr().out
    assert "test: 4 utterances of 1 videos" in printed
    section = yaml.safe_load(printed.partition("in a study:\n")[2])["data"]
    check_data_section({**DATA_DEFAULTS, **section}, tmp_path)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_files_are_imported_or_refused_and_never_half_written(misa, tmp_path, seed):
    """A file with bytes changed, cut or added makes a whole store or none."""
    original = misa[1].read_bytes()
    chosen = random.Random(seed)
    out = tmp_path / "stores" / "store"
    imported = 0
    for _ in range(60):
        data = bytearray(original)
        for _ in range(chosen.randint(1, 4)):
            place = chosen.randrange(len(data))
            action = chosen.randrange(3)
            if action == 0:
                data[place] = chosen.randrange(256)
            elif action == 1:
                del data[place : place + chosen.randint(1, 9)]
            else:
                data[place:place] = bytes(chosen.randrange(256) for _ in range(3))
        misa[1].write_bytes(bytes(data))
        try:
            import_files(request(*misa), out)
        except InputError:
            assert not out.exists()
            assert not out.parent.exists() or list(out.parent.iterdir()) == []
        else:
            imported += 1
            Store.open(out).verify()
            for file in out.iterdir():
                file.unlink()
            out.rmdir()
    assert imported < 60


def test_an_interrupted_import_leaves_nothing(misa, tmp_path):
    def interrupt(count):
        raise KeyboardInterrupt

    out = tmp_path / "stores" / "store"
    with pytest.raises(KeyboardInterrupt):
        import_files(request(*misa), out, interrupt)
    assert list(out.parent.iterdir()) == []
