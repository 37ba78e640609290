"""Word-pieces are computed once for a store, a backbone and a length."""

import dataclasses

import numpy as np
import pytest

from amb.data import token_cache
from amb.data.store import Store
from amb.data.store_writer import write_store
from amb.data.token_cache import cached_tokens
from amb.data.tokenisation import tokenise


@pytest.fixture
def store(tmp_path, tiny_dataset):
    write_store(tmp_path / "store", tiny_dataset)
    return Store.open(tmp_path / "store")


@pytest.fixture
def calls(monkeypatch):
    made = []

    def counted(*arguments):
        made.append(arguments)
        return tokenise(*arguments)

    monkeypatch.setattr(token_cache, "tokenise", counted)
    return made


def equal(one, other):
    arrays = all(np.array_equal(getattr(one, n), getattr(other, n)) for n in token_cache._ARRAYS)
    return arrays and (one.cut, one.silent) == (other.cut, other.silent)


def test_the_second_time_comes_from_the_cache_and_is_the_same(store, tiny, calls):
    first = cached_tokens(store, tiny.backbone, 4)
    again = cached_tokens(Store.open(store.path), tiny.backbone, 4)
    assert len(calls) == 1
    assert first.cut == again.cut > 0
    assert equal(first, again)
    assert equal(first, tokenise(store.utterances["words"].tolist(), tiny.backbone, 4))


def test_another_length_or_another_text_is_computed_anew(store, tiny, calls, tiny_dataset):
    cached_tokens(store, tiny.backbone, 4)
    cached_tokens(store, tiny.backbone, 8)
    cached = list(store.path.glob("tokens_*"))
    assert len(cached) == 2
    words = [["other", *own[1:]] for own in tiny_dataset.utterances["words"]]
    changed = tiny_dataset.utterances.assign(words=words)
    other = store.path.with_name("other")
    write_store(other, dataclasses.replace(tiny_dataset, utterances=changed))
    for file in cached:
        (other / file.name).write_bytes(file.read_bytes())
    cached_tokens(Store.open(other), tiny.backbone, 4)
    assert len(calls) == 3


def test_a_damaged_cache_is_replaced(store, tiny, calls):
    first = cached_tokens(store, tiny.backbone, 4)
    (file,) = store.path.glob("tokens_*")
    file.write_bytes(file.read_bytes()[:-9])
    assert equal(cached_tokens(store, tiny.backbone, 4), first)
    assert equal(cached_tokens(store, tiny.backbone, 4), first)
    assert len(calls) == 2
