import argparse
import json
from pathlib import Path

import pytest
import yaml

from amb.cli import data as command
from amb.data.prepare import prepare_store
from amb.data.sources import default_data_root, source_files
from amb.data.store import Store
from amb.errors import InputError
from amb.study import Study, load_study

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def small_demo(tmp_path: Path) -> Path:
    content = yaml.safe_load((CONFIG / "demo.yaml").read_text(encoding="utf-8"))
    content["data"]["demo"].update(videos={"train": 4, "valid": 2, "test": 2})
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return tmp_path / "small.yaml"


@pytest.fixture
def mosi() -> Study:
    return load_study(CONFIG / "mosi_sdk.yaml")


def amb_data(*arguments: str) -> None:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    command.run(parser.parse_args(arguments))


def test_demo_is_prepared_and_shown(
    small_demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "store"
    amb_data("prepare", "--study", str(small_demo), "--out", str(out))
    printed = capsys.readouterr().out
    assert "train: 40 utterances of 4 videos" in printed
    assert "audio: 12 features (0 constant), word-aligned" in printed
    amb_data("show", "--verify", str(out))
    assert capsys.readouterr().out == printed
    assert Store.open(out).content_hash in printed


def test_demo_card_holds_the_bounds(small_demo: Path, tmp_path: Path) -> None:
    prepare_store(load_study(small_demo), tmp_path, tmp_path / "store")
    card = json.loads((tmp_path / "store" / "card.json").read_text())
    assert card["reader"] == "demo"
    assert card["demo"]["bounds"]["text+audio+visual"]["r2"] == pytest.approx(0.92)


def test_demo_is_the_same_data_on_every_machine(small_demo: Path, tmp_path: Path) -> None:
    """A pinned hash: a change of it is a change of results."""
    prepare_store(load_study(small_demo), tmp_path, tmp_path / "store")
    assert Store.open(tmp_path / "store").content_hash == (
        "7eb0abc057720ec3284fa6669c1ae14ddecc3f7d0619033a47fa338c2f4e17f5"
    )


def test_source_files_are_listed_whether_or_not_they_exist(mosi: Study, tmp_path: Path) -> None:
    names = [file.relative_to(tmp_path).as_posix() for file in source_files(mosi, tmp_path)]
    assert names == [
        "mosi/CMU_MOSI_Opinion_Labels.csd",
        "mosi/standard_folds.txt",
        "mosi/transcripts_labels.csv",
        "mosi/MOSI_audio_openSMILE73_utterance.csd",
    ]
    assert source_files(load_study(CONFIG / "demo.yaml"), tmp_path) == []


def test_missing_source_names_file_key_and_variable(mosi: Study, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        prepare_store(mosi, tmp_path, tmp_path / "store")
    message = str(caught.value)
    assert str(tmp_path / "mosi/CMU_MOSI_Opinion_Labels.csd") in message
    assert "data.csd.labels" in message
    assert "AMB_DATA_ROOT" in message
    assert not (tmp_path / "store").exists()


def test_absolute_source_is_refused(mosi: Study, tmp_path: Path) -> None:
    mosi.data["csd"]["labels"] = str(tmp_path / "labels.csd")
    with pytest.raises(InputError, match="relative to the data root"):
        prepare_store(mosi, tmp_path, tmp_path / "store")


def test_data_root_is_the_variable_or_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMB_DATA_ROOT", raising=False)
    assert default_data_root() == Path("data")
    monkeypatch.setenv("AMB_DATA_ROOT", "elsewhere")
    assert default_data_root() == Path("elsewhere")


def test_real_mosi_is_prepared(mosi: Study, real_data: Path, tmp_path: Path) -> None:
    prepare_store(mosi, real_data, tmp_path / "store")
    store = Store.open(tmp_path / "store")
    store.verify()
    assert store.dimensions == {"audio": 73}
    assert len(store.labels()) == 1284 + 229
    assert store.card["sources"][0]["name"] == "mosi/CMU_MOSI_Opinion_Labels.csd"
