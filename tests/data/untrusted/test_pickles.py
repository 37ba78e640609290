"""Pickles are read as data: honest ones whole and equal, hostile ones refused by name and place."""

from __future__ import annotations

import io
import os
import pickle
import random
import struct
import time
import tracemalloc
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from mutations import outcomes_of

from amb.data.untrusted.pickles import load_pickle
from amb.errors import InputError

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
TYPES = (
    "f2",
    "f4",
    "f8",
    "i1",
    "i2",
    "i4",
    "i8",
    "u1",
    "u2",
    "u4",
    "u8",
    "b1",
    "S3",
    "U4",
    ">f4",
    ">i8",
)


def same(found, expected):
    if isinstance(expected, np.ndarray):
        wanted = expected.astype(expected.dtype.newbyteorder("="))
        return (
            type(found) is np.ndarray
            and found.dtype == wanted.dtype
            and found.shape == wanted.shape
            and found.tobytes() == wanted.tobytes()
        )
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(same(found[k], expected[k]) for k in expected)
    if isinstance(expected, list | tuple):
        return (
            type(found) is type(expected)
            and len(found) == len(expected)
            and all(map(same, found, expected))
        )
    return type(found) is type(expected) and found == expected


def written(folder, content):
    file = folder / "data.pkl"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("protocol", range(6))
def test_containers_and_numbers_come_back_equal(tmp_path, protocol):
    shared = ["é", "x" * 300]
    value = {
        "text": ["", "naïve", "日本", "a\nb'\\", shared, shared],
        "numbers": (0, -1, 255, 65536, -(2**40), 2**100, 1.5, float("inf"), True, False, None),
        "bytes": [b"", b"\x00\xff", b"z" * 1000],
        "nested": [[(), [], {}], ({"a": {1: 2}},), {3, 4}],
        "ordered": OrderedDict([("b", 1), ("a", 2)]),
    }
    found = load_pickle(written(tmp_path, pickle.dumps(value, protocol)))
    found["bytes"] = [bytes(item) for item in found["bytes"]]
    value["ordered"] = dict(value["ordered"])
    assert same(found, value)
    assert found["text"][4] is found["text"][5]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", TYPES)
def test_arrays_come_back_equal_whatever_their_type_order_and_size(tmp_path, protocol, kind):
    draws = np.random.default_rng(3).integers(0, 90, (40, 6))
    array = draws.astype(kind)
    value = [array, array.T, array[:1], array[:0], array[0, 0], np.asfortranarray(array), [array]]
    found = load_pickle(written(tmp_path, pickle.dumps(value, protocol)))
    assert same(found[:4] + found[5:6], value[:4] + value[5:6])
    assert found[4] == value[4]
    assert found[6][0] is found[0]


@pytest.mark.parametrize("protocol", range(6))
def test_an_array_of_objects_comes_back_as_its_list(tmp_path, protocol):
    texts = np.array(["so good", "", "naïve"], dtype=object)  # what pandas makes of a column
    ragged = np.empty(2, dtype=object)
    ragged[:] = [np.arange(3.0), np.arange(2.0)]
    value = {"texts": texts, "again": texts, "none": np.empty(0, dtype=object), "ragged": ragged}
    found = load_pickle(written(tmp_path, pickle.dumps(value, protocol)))
    assert found["texts"] == texts.tolist()
    assert found["again"] is found["texts"]
    assert found["none"] == []
    assert same(found["ragged"], ragged.tolist())


def test_an_array_of_objects_that_holds_itself_is_inert(tmp_path):
    own = np.empty(1, dtype=object)
    own[0] = own
    (found,) = load_pickle(written(tmp_path, pickle.dumps(own, 4)))
    assert not isinstance(found, np.ndarray | list)  # a draft, which no reader takes for data


def test_large_arrays_stay_in_the_file(tmp_path):
    file = written(tmp_path, pickle.dumps({"a": np.ones((1 << 22,), np.float32)}, 4))
    tracemalloc.start()
    array = load_pickle(file)["a"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert array.shape == (1 << 22,)
    assert not array.flags.writeable
    assert peak < 1 << 20


def test_a_pickle_of_python_2_is_read(tmp_path):
    data = np.arange(4, dtype="<f4").tobytes()
    dtype = b"cnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    state = b"(I1\n(I2\nI2\nt" + dtype + b"I00\nU" + bytes([len(data)]) + data + b"tb"
    found = load_pickle(written(tmp_path, b"(dS'x'\n" + array + state + b"s."))
    assert same(found, {"x": np.arange(4, dtype="<f4").reshape(2, 2)})


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real data are not here")
@pytest.mark.parametrize(
    "name",
    ["mosi/utterance_level_mmsa.pkl", "mosi_misa/dev.pkl", "mosei/d_train.pkl", "mosei/d_test.pkl"],
)
def test_real_files_equal_what_the_standard_library_reads(name):
    with (SHARED / name).open("rb") as handle:
        expected = pickle.load(handle)
    assert same(load_pickle(SHARED / name), expected)


class Shell:
    """What a hostile pickle does when it is loaded: leaves a file."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


def text(value):
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def called(module, name, *arguments):
    body = b"".join(arguments)
    return b"\x80\x04" + text(module) + text(name) + b"\x93(" + body + b"tR."


F4 = b"cnumpy\ndtype\n(U\x02f4I0\nI1\ntR"
OBJECTS = b"cnumpy\ndtype\n(U\x02O8I0\nI1\ntR"
ORDERED_OBJECTS = OBJECTS + b"(I3\nU\x01<NNNtb"
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntU\x01btR"


def array_of(shape, dtype, data, order=b"I00\n"):
    return b"\x80\x02" + RECONSTRUCT + b"(I1\n" + shape + dtype + order + data + b"tb."


# Values that Python cannot print or compare in passing
PAIRS = b"".join(b"](h%ch%ceq%c0" % (k, k, k + 1) for k in range(100))
DOUBLED = b"]q\x000" + PAIRS + b"hd"
ARRAY = array_of(b"(I2\nt", F4, b"U\x08" + bytes(8))[2:-1]
HUGE = b"L140737488355328L\n"

SENTINEL = "SENTINEL"
HOSTILE = {
    "os.system": (b"cos\nsystem\n(S'touch SENTINEL'\ntR.", "os.system"),
    "posix.system": (b"cposix\nsystem\n(S'touch SENTINEL'\ntR.", "posix.system"),
    "nt.system": (b"cnt\nsystem\n(S'x'\ntR.", "nt.system"),
    "builtins.eval": (called("builtins", "eval", text("open('SENTINEL','w')")), "builtins.eval"),
    "builtins.exec": (called("builtins", "exec", text("open('SENTINEL','w')")), "builtins.exec"),
    "python 2 eval": (b"c__builtin__\neval\n(S'1'\ntR.", "__builtin__.eval"),
    "builtins.getattr": (called("builtins", "getattr", text("a"), text("b")), "builtins.getattr"),
    "builtins.open": (called("builtins", "open", text("SENTINEL"), text("w")), "builtins.open"),
    "builtins.__import__": (called("builtins", "__import__", text("os")), "builtins.__import__"),
    "subprocess.Popen": (called("subprocess", "Popen", text("touch SENTINEL")), "subprocess.Popen"),
    "runpy": (called("runpy", "_run_code", text("1")), "runpy._run_code"),
    "importlib": (called("importlib", "import_module", text("os")), "importlib.import_module"),
    "pickle.loads": (called("pickle", "loads", b"C\x02N."), "pickle.loads"),
    "numpy.load": (called("numpy", "load", text("x.npy")), "numpy.load"),
    "numpy.f2py": (called("numpy.f2py.crackfortran", "myeval", text("1")), "crackfortran.myeval"),
    "numpy.testing exec": (called("numpy.testing._private.utils", "runstring"), "runstring"),
    "dotted name": (called("numpy", "ndarray.tofile"), "numpy.ndarray.tofile"),
    "name with a newline": (called("numpy", "dtype\nos"), "global"),
    "module that is a number": (b"\x80\x04K\x01K\x02\x93.", "global"),
    "torch storage": (called("torch.storage", "_load_from_bytes", b"C\x01a"), "_load_from_bytes"),
    "copy_reg": (called("copy_reg", "_reconstructor"), "copy_reg._reconstructor"),
    "copyreg object": (called("copyreg", "__newobj__"), "copyreg.__newobj__"),
    "functools.partial": (called("functools", "partial"), "functools.partial"),
    "operator.attrgetter": (called("operator", "attrgetter", text("x")), "operator.attrgetter"),
    "collections.defaultdict": (called("collections", "defaultdict"), "collections.defaultdict"),
    "types.CodeType": (called("types", "CodeType"), "types.CodeType"),
    "INST": (b"(S'touch SENTINEL'\nios\nsystem\n.", "opcode INST"),
    "OBJ": (b"(cnumpy\nndarray\no.", "opcode OBJ"),
    "NEWOBJ": (b"\x80\x02cnumpy\nndarray\n)\x81.", "opcode NEWOBJ"),
    "NEWOBJ_EX": (b"\x80\x04cnumpy\nndarray\n)}\x92.", "opcode NEWOBJ_EX"),
    "EXT1": (b"\x80\x02\x82\x01.", "opcode EXT1"),
    "EXT2": (b"\x80\x02\x83\x01\x00.", "opcode EXT2"),
    "EXT4": (b"\x80\x02\x84\x01\x00\x00\x00.", "opcode EXT4"),
    "out-of-band buffer": (b"\x80\x05\x97.", "opcode NEXT_BUFFER"),
    "read-only buffer": (b"\x80\x05N\x98.", "opcode READONLY_BUFFER"),
    "persistent id": (b"Pmalicious\n.", "persistent id"),
    "persistent object": (b"NQ.", "persistent id"),
    "unknown opcode": (b"\xff.", "opcode 0xff"),
    "future protocol": (b"\x80\x63N.", "protocol"),
    "empty": (b"", "0 bytes"),
    "only a protocol": (b"\x80\x04", "length"),
    "no STOP": (b"]", "length"),
    "STOP on nothing": (b".", "STOP"),
    "STOP on two": (b"NN.", "STOP"),
    "STOP on a mark": (b"(.", "STOP"),
    "bytes after STOP": (b"N.N", "bytes after the end"),
    "cut text": (b"X\xff\x00\x00\x00abc", "length"),
    "cut bytes": (b"B\x10\x00\x00\x00abc", "length"),
    "absurd text": (b"\x80\x04\x8d" + b"\xff" * 8 + b".", "length"),
    "absurd bytes": (b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.", "length"),
    "absurd bytearray": (b"\x80\x05\x96" + b"\xff" * 7 + b"\x7f.", "length"),
    "absurd frame": (b"\x80\x04\x95" + b"\xff" * 8 + b"N.", "frame"),
    "negative string": (b"T\xff\xff\xff\xff.", "length"),
    "negative long": (b"\x8b\xff\xff\xff\xff.", "length"),
    "enormous long": (b"\x8b\x00\x10\x00\x00" + b"\x01" * 4096 + b".", "integer"),
    "long of many digits": (b"L" + b"9" * 100_000 + b"L\n.", "number"),
    "integer of words": (b"Iabc\n.", "number"),
    "line without end": (b"S'" + b"a" * 100_000, "line"),
    "string without quotes": (b"Sabc\n.", "STRING"),
    "text that is not UTF-8": (b"X\x02\x00\x00\x00\xff\xfe.", "text"),
    "memo never set": (b"h\x05.", "memo"),
    "memo of a mark": (b"(q\x00.", "memo"),
    "memo index of words": (b"Npx\n.", "memo"),
    "append to a number": (b"K\x01K\x02a.", "stack"),
    "append without mark": (b"]K\x01e.", "stack"),
    "items on a list": (b"]K\x01K\x02s.", "stack"),
    "odd items": (b"}(K\x01u.", "SETITEMS"),
    "list as key": (b"}]K\x01s.", "key"),
    "tuple as key": (b"})K\x01s.", "key"),
    "POP on nothing": (b"0.", "POP"),
    "DUP on nothing": (b"2.", "DUP"),
    "TUPLE3 on two": (b"NN\x87.", "stack"),
    "REDUCE of text": (b"S'os.system'\n(tR.", "REDUCE"),
    "REDUCE with a list": (b"cnumpy\ndtype\n]R.", "REDUCE"),
    "BUILD on a dict": (b"}}b.", "BUILD"),
    "calling ndarray": (b"cnumpy\nndarray\n(I9\ntR.", "numpy.ndarray"),
    "objects that are fewer": (array_of(b"(I1\nt", OBJECTS, b"]"), "array shape"),
    "objects with two axes": (array_of(b"(I0\nI0\nt", OBJECTS, b"]"), "array shape"),
    "objects as bytes": (array_of(b"(I1\nt", OBJECTS, b"U\x08abcdefgh"), "array data"),
    "objects as bytes, with a byte order": (
        array_of(b"(I1\nt", ORDERED_OBJECTS, b"U\x08abcdefgh"),
        "array data",
    ),
    "no objects as bytes, with a byte order": (
        array_of(b"(I0\nt", ORDERED_OBJECTS, b"U\x00"),
        "array data",
    ),
    "objects as a tuple": (array_of(b"(I1\nt", OBJECTS, b"(Nt"), "array data"),
    "one object": (called("numpy.core.multiarray", "scalar", OBJECTS, b"U\x01a"), "array data"),
    "code in objects": (
        array_of(b"(I1\nt", OBJECTS, b"]" + called("os", "system", text("true"))[:-1] + b"a"),
        "os.system",
    ),
    "record array": (
        array_of(b"(I1\nt", b"cnumpy\ndtype\n(U\x03V12I0\nI1\ntR", b"U\x01a"),
        "dtype",
    ),
    "date array": (array_of(b"(I1\nt", b"cnumpy\ndtype\n(U\x02M8I0\nI1\ntR", b"U\x01a"), "dtype"),
    "type with fields": (b"cnumpy\ndtype\n(U\x02f4tR(I3\nU\x01|N]}I1\nI1\nI0\ntb.", "dtype"),
    "objects as data": (array_of(b"(I1\nt", F4, b"]"), "array data"),
    "shape too large": (array_of(b"(I1000000000\nt", F4, b"U\x04abcd"), "array"),
    "shape overflows": (
        array_of(b"(L4611686018427387904L\nI4\nt", F4, b"U\x04abcd"),
        "array shape",
    ),
    "negative shape": (array_of(b"(I-1\nt", F4, b"U\x04abcd"), "array shape"),
    "shape of text": (array_of(b"(U\x01at", F4, b"U\x04abcd"), "array shape"),
    "shape of a list": (array_of(b"]", F4, b"U\x04abcd"), "array shape"),
    "too many axes": (array_of(b"(" + b"I1\n" * 40 + b"t", F4, b"U\x04abcd"), "array shape"),
    "type is text": (array_of(b"(I1\nt", b"U\x02f4", b"U\x04abcd"), "array state"),
    "other class": (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\n(I0\ntU\x01btR.",
        "_reconstruct",
    ),
    "encode to a codec that runs": (called("_codecs", "encode", text("a"), text("zip")), "encode"),
    "persistent id that doubles": (b"\x80\x02" + DOUBLED + b"Q.", "persistent id"),
    "persistent id that is deep": (b"]" * 100_000 + b"a" * 99_999 + b"Q.", "persistent id"),
    "module that doubles": (b"\x80\x04" + DOUBLED + text("a") + b"\x93.", "global"),
    "name that doubles": (b"\x80\x04" + text("a") + DOUBLED + b"\x93.", "global"),
    "array as byte order": (
        b"cnumpy\ndtype\n(U\x02f4tR(I3\n" + ARRAY + b"NNNtb.",
        "dtype state",
    ),
    "array as order": (array_of(b"(I1\nt", F4, b"U\x04abcd", ARRAY), "array order"),
    "array as order of a buffer": (
        b"cnumpy._core.numeric\n_frombuffer\n(U\x04abcd" + F4 + b"(I1\nt" + ARRAY + b"tR.",
        "array order",
    ),
    "array as codec": (called("_codecs", "encode", text("a"), ARRAY), "_codecs.encode"),
    "empty shape that overflows": (array_of(b"(I0\n" + HUGE * 2 + b"t", F4, b"U\x00"), "copies"),
    "text of no length": (
        array_of(b"(" + HUGE + b"t", b"cnumpy\ndtype\n(U\x02S0I0\nI1\ntR", b"U\x00"),
        "copies",
    ),
    "encode what is not latin-1": (
        called("_codecs", "encode", text("日"), text("latin1")),
        "bytes",
    ),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + b"\0" * 64, "HDF5"),
    "zip": (b"PK\x03\x04" + b"\0" * 64, "zip"),
    "gzip": (b"\x1f\x8b" + b"\0" * 64, "gzip"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
    "HTML error page": (b"<!doctype html><html>404</html>", "opcode"),
    "CSV": (b"video_id,clip_id,text\n", "opcode"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_and_broken_files_are_refused_with_what_and_where(tmp_path, monkeypatch, name):
    content, what = HOSTILE[name]
    monkeypatch.chdir(tmp_path)
    file = written(tmp_path, content)
    start = time.perf_counter()
    with pytest.raises(InputError) as refusal:
        load_pickle(file)
    assert time.perf_counter() - start < 5
    assert what in str(refusal.value)
    assert str(file) in str(refusal.value)
    assert name in {"empty", "HDF5", "zip", "gzip", "LFS pointer"} or "at byte" in str(
        refusal.value
    )
    assert not (tmp_path / SENTINEL).exists()


def test_a_refused_name_is_told_with_its_offset(tmp_path):
    file = written(tmp_path, b"\x80\x02]" + b"cos\nsystem\n.")
    with pytest.raises(InputError, match=r"global at byte 3: found 'os.system'"):
        load_pickle(file)


def doubled_references(depth):
    """Return lists that hold the one before twice: 2 ** depth items for whoever walks them."""
    levels = (b"](h%ch%ceq%c0" % (k, k, k + 1) for k in range(depth))
    return b"\x80\x02]q\x000" + b"".join(levels) + b"h%c." % depth


def copies(count):
    """Return a pickle that asks for many copies of one long text."""
    long_text = b"X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"q\x00"
    copy = b"c_codecs\nencode\n(h\x00X\x06\x00\x00\x00latin1tR"
    return b"\x80\x02" + long_text + copy * count + b"."


def test_bombs_stay_small_in_time_and_memory(tmp_path):
    tracemalloc.start()
    start = time.process_time()
    load_pickle(written(tmp_path, doubled_references(200)))
    with pytest.raises(InputError, match="copies at byte"):
        load_pickle(written(tmp_path, copies(500)))
    deep = load_pickle(written(tmp_path, b"]" * 200_000 + b"a" * 199_999 + b"."))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(deep) == 1
    assert time.process_time() - start < 10
    assert peak < 100 << 20


def donors(folder):
    """Return small pickles of real layouts, and one that runs a command."""
    rng = np.random.default_rng(0)
    word = (np.arange(3), rng.random((3, 5)), rng.random((3, 4)), ["a", "b", "c"])
    mmsa = {
        split: {
            "raw_text": np.array(["good film", "bad"]),
            "audio": rng.random((2, 4, 3)).astype(np.float32),
            "id": ["v$_$1", "v$_$2"],
            "regression_labels": rng.random(2),
            "audio_lengths": [4, 2],
        }
        for split in ("train", "valid", "test")
    }
    misa = [(word, np.array([[1.5]], np.float32), "v[0]")] * 3
    hostile = [Shell(folder / SENTINEL)]
    return [pickle.dumps(v, p) for v in (mmsa, misa, hostile) for p in (0, 2, 3, 4, 5)]


def test_mutated_layouts_give_a_value_or_a_clear_refusal(tmp_path):
    rng = random.Random(2212)
    outcomes = outcomes_of(load_pickle, tmp_path / "data.pkl", donors(tmp_path), rng, 4000)
    assert outcomes["value"] > 10
    assert outcomes["refused"] > 100
    assert not (tmp_path / SENTINEL).exists()


def test_the_standard_library_would_have_run_the_donor(tmp_path):
    """The fuzz test's sentinel works: the danger is real."""
    pickle.load(io.BytesIO(pickle.dumps([Shell(tmp_path / SENTINEL)])))
    assert (tmp_path / SENTINEL).exists()
