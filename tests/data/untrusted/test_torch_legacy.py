"""Legacy torch files are read as arrays: honest ones whole and equal, hostile ones refused."""

from __future__ import annotations

import io
import os
import pickle
import random
import struct
import time
import tracemalloc
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from mutations import outcomes_of

from amb.data.untrusted.torch_legacy import load_torch_legacy
from amb.errors import InputError

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
TYPES = (
    torch.float16,
    torch.float32,
    torch.float64,
    torch.int8,
    torch.uint8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.bool,
)
SENTINEL = "SENTINEL"


def written(folder, content):
    file = folder / "data.pt"
    file.write_bytes(content)
    return file


def saved(value, protocol=2):
    buffer = io.BytesIO()
    torch.save(value, buffer, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


def loaded(folder, value, protocol=2):
    return load_torch_legacy(written(folder, saved(value, protocol)))


def equal(found, tensor):
    wanted = tensor.numpy()
    return (
        type(found) is np.ndarray
        and (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        and found.tobytes() == wanted.tobytes()
    )


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", TYPES)
def test_tensors_come_back_equal_whatever_their_type_and_layout(tmp_path, protocol, kind):
    tensor = torch.arange(2 * 3 * 4).reshape(2, 3, 4).to(kind)
    tensors = [
        tensor,
        tensor.permute(2, 0, 1),
        tensor[1, ::2, 1:3],
        tensor[:, :, 2],
        tensor[0, 0, 3],
        torch.tensor(7).to(kind),
        torch.empty((0, 5), dtype=kind),
        tensor[2:],
    ]
    found = loaded(tmp_path, tensors, protocol)
    assert all(map(equal, found, tensors))


def test_tensors_that_share_a_storage_share_its_bytes(tmp_path):
    tensor = torch.arange(12.0)
    file = written(tmp_path, saved({"a": tensor[:6], "b": tensor[3:].reshape(3, 3)}))
    found = load_torch_legacy(file)
    assert np.shares_memory(found["a"], found["b"])
    assert not found["a"].flags.writeable
    assert file.stat().st_size < 800


def test_containers_come_back_as_plain_ones(tmp_path):
    value = {"t": (1, 2.5, None, True), "o": OrderedDict(b=[1], a="é"), "s": {3, 4}}
    assert loaded(tmp_path, value) == value


def foreign_factory():
    return 0


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("factory", [foreign_factory, list, int, set, OrderedDict, None])
def test_a_default_dict_loses_its_factory_only(tmp_path, protocol, factory):
    first, second = (defaultdict(factory, {"a": 1, "b": n}) for n in (2, 3))
    found = loaded(tmp_path, (torch.ones(2), first, [second, first], "after"), protocol)
    assert found[1:] == ({"a": 1, "b": 2}, [{"a": 1, "b": 3}, {"a": 1, "b": 2}], "after")
    assert type(found[1]) is dict
    assert found[2][1] is found[1]


def test_a_default_dict_without_arguments_is_a_dict(tmp_path):
    assert load_torch_legacy(written(tmp_path, file_of(DEFAULT_DICT + b")R"))) == {}


def test_the_real_file_equals_its_arrays():
    file = SHARED / "mosi_misa" / "embedding_and_mapping.pt"
    if not file.is_file():
        pytest.skip("MISA's embedding_and_mapping.pt is not here (../shared/data)")
    embedding, mapping = load_torch_legacy(file)
    expected = np.load(file.with_name("glove300_mosi_vocab.npz"))
    np.testing.assert_array_equal(embedding, expected["emb"])
    assert embedding.dtype == np.float32
    assert type(mapping) is dict
    assert sorted(mapping, key=mapping.__getitem__) == expected["words"].tolist()
    assert sorted(mapping.values()) == list(range(len(embedding)))


# Files by hand


def text(value):
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


HEADER = saved(None)[:-10]  # up to the object; None is PROTO 2, NONE, STOP; no keys follow
DEFAULT_DICT = b"ccollections\ndefaultdict\n"
FOREIGN = b"ccreate_dataset\nreturn_unk\n"
STORAGE = b"ctorch\nFloatStorage\n"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
HOOKS = b"ccollections\nOrderedDict\n)R"
VALUES = struct.pack("<q4f", 4, 1, 2, 3, 4)


KEY, CPU = text("k"), text("cpu")


def file_of(body, keys=b"\x80\x02].", values=b""):
    return HEADER + b"\x80\x02" + body + b"." + keys + values


def storage(kind=STORAGE, key=KEY, location=CPU, count=b"K\x04", view=b"N"):
    return b"(" + text("storage") + kind + key + location + count + view + b"tQ"


def tensor(
    storage=storage(),  # noqa: B008
    offset=b"K\x00",
    shape=b"K\x02K\x02\x86",
    strides=b"K\x02K\x01\x86",
    grad=b"\x89",
    hooks=HOOKS,
    more=b"",
):
    return REBUILD + b"(" + storage + offset + shape + strides + grad + hooks + more + b"tR"


def tensor_file(tensor=tensor(), keys=b"\x80\x02]" + text("k") + b"a.", values=VALUES):  # noqa: B008
    return file_of(tensor, keys, values)


def test_the_file_by_hand_is_honest(tmp_path):
    found = load_torch_legacy(written(tmp_path, tensor_file()))
    assert found.tolist() == [[1, 2], [3, 4]]


class Shell:
    """What a hostile pickle does when it is loaded: leaves a file."""

    def __reduce__(self):
        return os.system, (f"touch {SENTINEL}",)


def zipped():
    buffer = io.BytesIO()
    torch.save(torch.ones(2), buffer)
    return buffer.getvalue()


RETURN_UNK = "create_dataset.return_unk"
SHELL = saved([torch.ones(2), Shell()])
LONG = b"\x8a\x06" + (1 << 46).to_bytes(6, "little")  # 2 ** 46
DOUBLED = b"]q\x000" + b"".join(b"](h%ch%ceq%c0" % (k, k, k + 1) for k in range(100)) + b"hd"
ARRAY = b"K\x01\x85"

HOSTILE = {
    # Foreign code
    "os.system by reduce": (SHELL, "posix.system"),
    "a class of ours": (saved(Shell).replace(b"Shell", b"Other"), "Other"),
    "foreign name as a call": (file_of(FOREIGN + b")R"), RETURN_UNK),
    "foreign name as the value": (file_of(FOREIGN), RETURN_UNK),
    "foreign name in a list": (file_of(b"]" + FOREIGN + b"a"), RETURN_UNK),
    "foreign name as a dictionary's value": (file_of(b"}K\x01" + FOREIGN + b"s"), RETURN_UNK),
    "foreign name as an argument": (
        file_of(b"ccollections\nOrderedDict\n" + FOREIGN + b"\x85R"),
        RETURN_UNK,
    ),
    "foreign name beside the factory": (
        file_of(DEFAULT_DICT + FOREIGN + FOREIGN + b"\x86R"),
        RETURN_UNK,
    ),
    "factory and a second argument": (file_of(DEFAULT_DICT + FOREIGN + b"K\x01\x86R"), RETURN_UNK),
    "factory after an argument": (
        file_of(DEFAULT_DICT + b"K\x01" + FOREIGN + b"\x86R"),
        RETURN_UNK,
    ),
    "factory whose call is left out": (file_of(DEFAULT_DICT + FOREIGN + b"\x85\x86"), RETURN_UNK),
    "factory in a list": (file_of(b"(" + DEFAULT_DICT + FOREIGN + b"l"), RETURN_UNK),
    "factory in a longer tuple": (file_of(b"(" + DEFAULT_DICT + FOREIGN + b"t"), RETURN_UNK),
    "factory doubled": (file_of(DEFAULT_DICT + FOREIGN + b"2\x86R"), RETURN_UNK),
    "factory called": (file_of(DEFAULT_DICT + FOREIGN + b")R\x85R"), RETURN_UNK),
    "factory out of the memo": (
        file_of(DEFAULT_DICT + FOREIGN + b"q\x07\x85R0h\x07"),
        RETURN_UNK,
    ),
    "factory out of the memo, called": (
        file_of(DEFAULT_DICT + FOREIGN + b"q\x07\x85R0h\x07)R"),
        RETURN_UNK,
    ),
    "factory's tuple out of the memo": (
        file_of(DEFAULT_DICT + FOREIGN + b"\x85q\x07R0h\x07"),
        RETURN_UNK,
    ),
    "os.system as a call after a factory": (
        file_of(DEFAULT_DICT + b"cos\nsystem\n" + text("touch " + SENTINEL) + b"\x85R\x85R"),
        "os.system",
    ),
    "factory that is data": (file_of(DEFAULT_DICT + b"K\x01\x85R"), "defaultdict"),
    "factory that is an array": (file_of(DEFAULT_DICT + tensor() + b"\x85R"), "defaultdict"),
    "a storage type called": (file_of(STORAGE + b"K\x04\x85R"), "storage type"),
    # Header
    "zip": (zipped(), "a zip archive"),
    "a plain pickle": (pickle.dumps({"a": 1}), "magic number"),
    "wrong magic": (HEADER.replace(b"\x6c\xfc", b"\x6d\xfc") + b"N.", "magic number"),
    "no pickle": (b"GIF89a" + bytes(100), "magic number"),
    "empty": (b"", "0 bytes"),
    "other protocol version": (tensor_file().replace(b"M\xe9\x03.", b"M\xea\x03."), "protocol ver"),
    "big-endian": (
        tensor_file().replace(b"little_endianq\x02\x88", b"little_endianq\x02\x89"),
        "little_endian",
    ),
    "system that is a list": (HEADER[:21] + b"\x80\x02]." + b"N.", "little_endian"),
    # Storages
    "unknown storage type": (saved(torch.ones(2, dtype=torch.bfloat16)), "torch.BFloat16Storage"),
    "storage type that is text": (tensor_file(tensor(storage(text("Float")))), "storage type"),
    "storage type that is another name": (
        tensor_file(tensor(storage(b"ccollections\nOrderedDict\n"))),
        "storage type",
    ),
    "a view of a storage": (
        tensor_file(tensor(storage(view=b"(" + text("v") + b"K\x00K\x02t"))),
        "a view",
    ),
    "persistent id of a module": (file_of(text("module") + b"NNN(" + b"tQ"), "persistent id"),
    "persistent id that doubles": (file_of(DOUBLED + b"Q"), "persistent id"),
    "key that is a number": (tensor_file(tensor(storage(key=b"K\x01"))), "storage at"),
    "count below zero": (tensor_file(tensor(storage(count=b"J\xff\xff\xff\xff"))), "storage at"),
    "count that is true": (tensor_file(tensor(storage(count=b"\x88"))), "storage at"),
    "one key of two types": (
        tensor_file(tensor() + tensor(storage(b"ctorch\nIntStorage\n")) + b"\x86"),
        "as before",
    ),
    "count that the values contradict": (
        tensor_file(values=struct.pack("<q4f", 5, 1, 2, 3, 4)),
        "5 values",
    ),
    "count that the object contradicts": (
        tensor_file(tensor(storage(count=b"K\x05"))),
        "4 values",
    ),
    "huge count in both places": (
        tensor_file(tensor(storage(count=LONG)), values=struct.pack("<q4f", 1 << 46, 1, 2, 3, 4)),
        "the file is cut or wrong",
    ),
    "negative count in both places": (
        tensor_file(values=b"\xff" * 8 + VALUES[8:]),
        "storage k at byte",
    ),
    "no keys": (tensor_file(keys=b"\x80\x02]."), "storage keys"),
    "another key": (tensor_file(keys=b"\x80\x02]" + text("j") + b"a."), "storage keys"),
    "one key twice": (
        tensor_file(keys=b"\x80\x02](" + text("k") + text("k") + b"e.", values=VALUES * 2),
        "storage keys",
    ),
    "keys that are a name": (tensor_file(keys=b"\x80\x02" + FOREIGN + b"."), RETURN_UNK),
    "keys that are a dictionary": (tensor_file(keys=b"\x80\x02}."), "storage keys"),
    "keys of lists": (tensor_file(keys=b"\x80\x02]]a."), "storage keys"),
    "values cut": (tensor_file()[:-1], "15 bytes left"),
    "count cut": (tensor_file()[:-17], "7 bytes left"),
    "trailing bytes": (tensor_file() + b"x", "bytes after the last storage"),
    # Tensors
    "offset outside": (tensor_file(tensor(offset=b"K\x01")), "within a storage of 4"),
    "offset below zero": (tensor_file(tensor(offset=b"J\xff\xff\xff\xff")), "tensor offset"),
    "offset that is a list": (tensor_file(tensor(offset=b"]")), "tensor offset"),
    "shape outside": (tensor_file(tensor(shape=b"K\x03K\x02\x86")), "within a storage of 4"),
    "strides outside": (tensor_file(tensor(strides=b"K\x03K\x01\x86")), "within a storage of 4"),
    "strides below zero": (
        tensor_file(tensor(strides=b"J\xff\xff\xff\xffK\x01\x86")),
        "tensor shape",
    ),
    "a value repeated 2 ** 46 times": (
        tensor_file(tensor(shape=LONG + b"\x85", strides=b"K\x00\x85")),
        "within a storage of 4",
    ),
    "an empty shape that overflows": (
        tensor_file(tensor(shape=b"K\x00" + LONG * 2 + b"\x87", strides=b"K\x01" * 3 + b"\x87")),
        "within a storage of 4",
    ),
    "empty far outside": (
        tensor_file(tensor(offset=LONG, shape=b"K\x00\x85", strides=b"K\x01\x85")),
        "within a storage of 4",
    ),
    "shape and strides of other lengths": (tensor_file(tensor(shape=b"K\x02\x85")), "tensor shape"),
    "shape of truth values": (tensor_file(tensor(shape=b"\x88\x88\x86")), "tensor shape"),
    "too many axes": (
        tensor_file(tensor(shape=b"(" + b"K\x01" * 40 + b"t", strides=b"(" + b"K\x01" * 40 + b"t")),
        "tensor shape",
    ),
    "requires_grad that is text": (tensor_file(tensor(grad=text("a"))), "backward hooks"),
    "a backward hook": (
        tensor_file(tensor(hooks=HOOKS + b"K\x01K\x02s")),
        "backward hooks",
    ),
    "a tensor with the negative bit": (
        tensor_file(tensor(more=b"}" + text("neg") + b"\x88s")),
        "a storage and 5 arguments",
    ),
    "a tensor of a tensor": (tensor_file(tensor(tensor())), "a storage and 5 arguments"),
    "a tensor as a key": (tensor_file(b"}" + tensor() + b"K\x01s"), "key at"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_and_broken_files_are_refused_with_what_and_where(tmp_path, monkeypatch, name):
    content, what = HOSTILE[name]
    monkeypatch.chdir(tmp_path)
    file = written(tmp_path, content)
    start = time.perf_counter()
    tracemalloc.start()
    with pytest.raises(InputError) as refusal:
        load_torch_legacy(file)
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()
    assert time.perf_counter() - start < 5
    assert what in str(refusal.value)
    assert str(file) in str(refusal.value)
    assert name in {"zip", "empty"} or " at byte " in str(refusal.value)
    assert not (tmp_path / SENTINEL).exists()


def test_a_foreign_name_is_told_with_its_offset(tmp_path):
    file = written(tmp_path, file_of(b"]" + FOREIGN + b"a"))
    where = len(HEADER) + 3
    with pytest.raises(InputError, match=rf"global at byte {where}: found '{RETURN_UNK}'"):
        load_torch_legacy(file)


def test_zip_files_are_told_which_format_is_read(tmp_path):
    with pytest.raises(InputError, match=r"found 'a zip archive', expected .* the legacy format"):
        load_torch_legacy(written(tmp_path, zipped()))


def honest():
    """Return small files of several tensors and dictionaries."""
    shared = torch.arange(30.0).reshape(5, 6)
    mapping = defaultdict(foreign_factory, {"<unk>": 0, "word": 1})
    misa = (torch.randn(4, 3), mapping)
    states = OrderedDict(weight=shared.T[1:], bias=shared[0], steps=torch.tensor(3))
    return [saved(v, p) for v in (misa, states) for p in (2, 4)] + [SHELL]


def test_every_cut_of_a_file_is_refused(tmp_path):
    for content in honest()[:4]:
        for length in range(len(content)):
            with pytest.raises(InputError):
                load_torch_legacy(written(tmp_path, content[:length]))


def test_mutated_files_give_a_value_or_a_clear_refusal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = random.Random(1906)
    outcomes = outcomes_of(load_torch_legacy, tmp_path / "data.pt", honest(), rng, 4000)
    assert sum(outcomes.values()) >= 500
    assert outcomes["value"] > 10
    assert outcomes["refused"] > 100
    assert not (tmp_path / SENTINEL).exists()
