"""The claims file: the shipped one loads, and what is misspelt or misplaced is refused by name."""

import copy
from pathlib import Path

import jsonschema
import pytest
import yaml

from amb.checked_files import schema_path
from amb.errors import InputError
from amb.files import sha256_of
from amb.statistics.claims import CollapseRule, CountClaim, OrderingClaim, load_claims

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
    assert file.families == {"primary": "holm"}
    assert file.collapse_rule == CollapseRule("valid", "mae", 0.99)
    kinds = {claim.id: type(claim) for claim in file.claims}
    assert kinds == {
        "amb-beats-finetuned-mae": OrderingClaim,
        "amb-beats-finetuned-acc7": OrderingClaim,
        "amb-parameter-efficient": CountClaim,
    }
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
        (("claims", 0, "kind"), "speed", "claims.0.kind: found 'speed'"),
        (("claims", 0, "sesoi"), 0, "claims.0.sesoi: found 0, expected a number above 0"),
        (("claims", 1, "metric"), "acc9", "claims.1.metric: found 'acc9'"),
        (("claims", 1, "family"), "second", "claims.1.family: found 'second', expected one of pri"),
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
    assert len(found) == 7
    for path, entry in found:
        assert entry["additionalProperties"] is not True, path
        for name, key in entry.get("properties", {}).items():
            assert {"type", "description"} <= set(key), f"{path}.{name}"
            if key["type"] in ("number", "integer"):
                limited = "enum" in key or ("maximum" in key and "exclusiveMinimum" in key)
                assert limited, f"{path}.{name}"
