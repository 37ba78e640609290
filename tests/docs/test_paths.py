"""What the documentation names exists: files, presets, studies."""

from __future__ import annotations

import re

import pytest
from doc_commands import PAGES, ROOT

NAMED = re.compile(r"`((?:amb|baselines|benchmarks|config|docs|tests|workflow)/[\w./-]+)`")
# Examples that a reader is to write.
EXAMPLES = ("my_", "jsonl.py", "NAME", "workflow/Snakefile")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_files_that_a_page_names_exist(page):
    named = NAMED.findall(page.read_text(encoding="utf-8"))
    missing = [
        name
        for name in named
        if not (ROOT / name).exists() and not any(e in name for e in EXAMPLES)
    ]
    assert missing == []
