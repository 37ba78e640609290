"""The worked examples of docs/claims.md are claims that load, and their arithmetic is right."""

import math
import re
from pathlib import Path

import pytest
import yaml
from scipy import stats

from amb.statistics.claims import KIND_KEYS, load_claims
from amb.statistics.published import check_quoted, read_published

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "claims.md").read_text()


def examples():
    blocks = re.findall(r"((?:^    .*\n)+)", PAGE, flags=re.MULTILINE)
    found = [yaml.safe_load(block) for block in blocks if block.startswith("    - id:")]
    return [claim for block in found for claim in block]


def test_there_is_one_example_a_kind_and_all_load(tmp_path):
    claims = examples()
    assert sorted(claim["kind"] for claim in claims) == sorted(KIND_KEYS)
    ordering = next(claim for claim in claims if claim["kind"] == "ordering")
    for part in ("better-mae", "better-acc7"):
        claims.append({**ordering, "id": part, "family": "across_metrics"})
    head = yaml.safe_load((ROOT / "config" / "claims.yaml").read_text())
    file = tmp_path / "claims.yaml"
    file.write_text(yaml.safe_dump({**head, "claims": claims}))
    loaded = load_claims(file)
    check_quoted(file, loaded.claims, read_published(ROOT / "config" / "published.csv"))


def test_the_arithmetic_of_the_examples():
    half = stats.t.ppf(0.95, 8)
    assert (3.1 - 0.5 * half, 3.1 + 0.5 * half) == pytest.approx((2.2, 4.0), abs=0.05)
    assert (3.1 - half, 3.1 + half) == pytest.approx((1.2, 5.0), abs=0.05)
    spread = stats.t.ppf(0.975, 4) * 0.01 * math.sqrt(1.2)
    assert 0.031 - spread == pytest.approx(0.0006, abs=5e-5)
    assert 0.030 - spread < 0
