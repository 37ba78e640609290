"""Fixtures of the tests of trained models as a library."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_results import Results, lay_out


@pytest.fixture(scope="session")
def results(tiny, tmp_path_factory) -> Results:
    content = tiny.file.read_text().replace("max_epochs: 2", "max_epochs: 1")
    return lay_out(tiny, tmp_path_factory.mktemp("results") / "tiny", content)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """A cache of backbones of this test's own."""
    monkeypatch.setenv("AMB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
