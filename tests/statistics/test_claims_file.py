"""The claims file: the shipped one loads, and what is misspelt or misplaced is refused by name."""

import copy
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
import yaml

from amb.checked_files import schema_path
from amb.errors import InputError
from amb.files import sha256_of
from amb.statistics.claim_kinds import CountClaim, OrderingClaim
from amb.statistics.claims import CollapseRule, load_claims

SHIPPED = Path(__file__).parents[2] / "config" / "claims.yaml"
CONTENT = yaml.safe_load(SHIPPED.read_text())


def changed(tmp_path, *path, value):
    content = copy.deepcopy(CONTENT)
    target = content
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "claims.yaml"


def test_the_shipped_claims_load():
    file = load_claims(SHIPPED)
    assert file.sha256 == sha256_of(SHIPPED)
    assert file.families == {"primary": "holm", "across_metrics": "intersection_union"}
    assert file.collapse_rule == CollapseRule("valid", "mae", 0.99)
    kinds = Counter(claim.kind for claim in file.claims)
    assert kinds == {
        "ordering": 7,
        "magnitude": 2,
        "number": 2,
        "all_of": 1,
        "noninferiority": 1,
        "speed": 1,
        "count": 1,
    }
    assert file.timed_rows() == [("amb", "finetuned_fusion")]
    assert isinstance(file.claims[2], CountClaim)
    mae = file.claims[0]
    assert isinstance(mae, OrderingClaim)
    assert (mae.a, mae.b, mae.form, mae.sesoi) == ("amb", "finetuned_fusion", "relative", 0.01)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("alhpa",), 0.05, "unknown key alhpa"),
        (("alpha",), 0.7, "alpha: found 0.7, expected a number of at most 0.5"),
        (("families", "primary"), "bonferroni", "families.primary: found 'bonferroni'"),
        (("collapse_rule", "split"), "test", "collapse_rule.split: found 'test'"),
        (("claims", 0, "sesio"), 0.01, "claims.0: found 'unknown key sesio'"),
        (("claims", 0, "kind"), "haste", "claims.0.kind: found 'haste'"),
        (("claims", 0, "kind"), "speed", "claims.0.metric: .*no such key in kind speed"),
        (("claims", 0, "sesoi"), 0, "claims.0.sesoi: found 0, expected a number above 0"),
        (("claims", 1, "metric"), "acc9", "claims.1.metric: found 'acc9'"),
        (
            ("claims", 1, "family"),
            "second",
            "claims.1.family: found 'second', expected one of across_metrics, pri",
        ),
        (("claims", 0, "threshold"), 0.1, "claims.0.threshold: .*no such key in kind ordering"),
        (("claims", 2, "metric"), "mae", "claims.2.metric: .*no such key in kind count"),
        (("claims", 2, "contrast", "form"), "relative", "claims.2.contrast.form: .*no form"),
        (("claims", 0, "contrast"), {"a": "amb", "b": "late"}, "claims.0.contrast: found 'no form"),
        (("claims", 2, "contrast", "b"), "amb", "claims.2.contrast.b: found 'amb', .*another"),
        (("claims", 1, "scope", "also"), "fixed_set", "claims.1.scope.also: .*the other scope"),
        (("claims", 1, "id"), "amb-beats-finetuned-mae", "id amb-beats-finetuned-mae twice"),
    ],
)
def test_a_wrong_key_or_value_is_refused_by_name(tmp_path, path, value, message):
    with pytest.raises(InputError, match=message):
        load_claims(changed(tmp_path, *path, value=value))


@pytest.mark.parametrize("key", ["metric", "sesoi", "scope", "family"])
def test_an_ordering_without_one_of_its_keys_is_refused(tmp_path, key):
    claim = {k: v for k, v in CONTENT["claims"][0].items() if k != key}
    with pytest.raises(InputError, match=f"no {key}"):
        load_claims(changed(tmp_path, "claims", 0, value=claim))


def objects(schema, path="schema"):
    """Yield every schema of an object, wherever it stands, except conditions."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield path, schema
        for key, value in schema.items():
            if key not in ("allOf", "if", "then"):
                yield from objects(value, f"{path}.{key}")


def test_the_schema_is_closed_and_describes_and_limits_every_key():
    schema = yaml.safe_load(schema_path("claims").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    found = list(objects(schema))
    assert len(found) == 8
    for path, entry in found:
        assert entry["additionalProperties"] is not True, path
        for name, key in entry.get("properties", {}).items():
            assert {"type", "description"} <= set(key), f"{path}.{name}"
            if key["type"] in ("number", "integer"):
                limited = "enum" in key or ("maximum" in key and "exclusiveMinimum" in key)
                assert limited, f"{path}.{name}"


def claims_file(tmp_path, *entries, families=None):
    content = {**CONTENT, "claims": list(entries)}
    content["families"] = families or CONTENT["families"]
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "claims.yaml"


def shipped(kind):
    return copy.deepcopy(next(claim for claim in CONTENT["claims"] if claim["kind"] == kind))


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("magnitude", {"sesoi": 0.1}, "sesoi: .*no such key in kind magnitude"),
        ("magnitude", {"margin": 0}, "margin: found 0, expected a number above 0"),
        ("number", {"dataset": "mosei"}, "dataset: .*no such key in kind number"),
        ("number", {"contrast": {"a": "amb", "b": "x"}}, "contrast.b: found 'x', expected a alone"),
        ("number", {"published": {"dataset": "mosei"}}, "published: found 'no model'"),
        ("number", {"relative_gain": 3.4}, "relative_gain: found 3.4"),
        ("noninferiority", {"corruption": "a b"}, "corruption: found 'a b'"),
        ("speed", {"sesoi": 1.5}, "sesoi: found 1.5"),
        ("speed", {"metric": "mae"}, "metric: .*no such key in kind speed"),
    ],
)
def test_each_kind_refuses_what_is_not_its_own(tmp_path, kind, change, message):
    with pytest.raises(InputError, match=message):
        load_claims(claims_file(tmp_path, {**shipped(kind), **change}))


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        *(("magnitude", key) for key in ("claimed", "margin", "contrast", "scope")),
        *(("number", key) for key in ("published", "margin", "contrast", "family")),
        *(("noninferiority", key) for key in ("corruption", "margin", "metric")),
        *(("speed", key) for key in ("sesoi", "family", "contrast")),
        ("all_of", "all_of"),
    ],
)
def test_each_kind_needs_its_own_keys(tmp_path, kind, key):
    claim = {k: v for k, v in shipped(kind).items() if k != key}
    with pytest.raises(InputError, match=f"no {key}"):
        load_claims(claims_file(tmp_path, claim))


def test_parts_are_claims_and_only_parts_go_uncorrected(tmp_path):
    mae, acc7 = (
        c for c in CONTENT["claims"] if c["id"] in ("amb-beats-sota-mae", "amb-beats-sota-acc7")
    )
    whole = {**shipped("all_of"), "all_of": [mae["id"], acc7["id"]]}
    assert load_claims(claims_file(tmp_path, whole, mae, acc7)).claims[0].parts == (
        "amb-beats-sota-mae",
        "amb-beats-sota-acc7",
    )
    with pytest.raises(InputError, match=r"claims.0.all_of: found 'amb-beats-sota-acc7'"):
        load_claims(claims_file(tmp_path, whole, mae))
    with pytest.raises(InputError, match=r"claims.0.family: found 'across_metrics', .*no part"):
        load_claims(claims_file(tmp_path, mae))
    with pytest.raises(InputError, match=r"claims.1.family: found 'primary', .*: a part"):
        load_claims(claims_file(tmp_path, whole, {**mae, "family": "primary"}, acc7))
