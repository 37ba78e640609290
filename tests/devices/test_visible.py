"""Which GPUs a process may choose from, under every way of naming them."""

import pytest

from amb.devices.visible import Gpu, ListedGpu, parse_listing, usable_gpus, visible_gpus

H100 = "NVIDIA H100 80GB HBM3"
UUIDS = [f"GPU-{n}a2f7e3c-0d4b-4c52-8a3e-1f0b6c9d7e5{n}" for n in range(4)]
FOUR = "".join(f"GPU {n}: {H100} (UUID: {uuid})\n" for n, uuid in enumerate(UUIDS))
SLICES = [f"MIG-{n}c1e9f2a-77d3-5b10-9c44-e0a8d2b6f31{n}" for n in range(2)]
SLICED = (
    f"GPU 0: {H100} (UUID: {UUIDS[0]})\n"
    f"  MIG 3g.40gb     Device  0: (UUID: {SLICES[0]})\n"
    f"  MIG 3g.40gb     Device  1: (UUID: {SLICES[1]})\n"
    f"GPU 1: {H100} (UUID: {UUIDS[1]})\n"
)
MIXED = f"GPU 0: Quadro P400 (UUID: {UUIDS[0]})\nGPU 1: {H100} (UUID: {UUIDS[1]})\n"


def test_a_listing_is_read_with_its_slices():
    assert parse_listing(SLICED) == [
        ListedGpu(H100, UUIDS[0], tuple(SLICES)),
        ListedGpu(H100, UUIDS[1], ()),
    ]
    assert parse_listing("No devices were found\n") == []


def test_without_a_word_from_anybody_all_that_is_listed_is_visible():
    assert visible_gpus({}, FOUR) == [Gpu(uuid, uuid) for uuid in UUIDS]
    assert visible_gpus({}, SLICED) == [Gpu(u, u) for u in (*SLICES, UUIDS[1])]
    assert visible_gpus({}, "") == []


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("2,1", [Gpu("2", UUIDS[2]), Gpu("1", UUIDS[1])]),
        (" 3 , 0 ", [Gpu("3", UUIDS[3]), Gpu("0", UUIDS[0])]),
        (UUIDS[1], [Gpu(UUIDS[1], UUIDS[1])]),
        (UUIDS[1][:8], [Gpu(UUIDS[1][:8], UUIDS[1])]),
        (f"1,{UUIDS[1]},0", [Gpu(UUIDS[1], UUIDS[1]), Gpu("0", UUIDS[0])]),  # one GPU, two names
        ("MIG-GPU-7/1/0", [Gpu("MIG-GPU-7/1/0", "MIG-GPU-7/1/0")]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("1,-1,2", [Gpu("1", UUIDS[1])]),
        ("1,7,2", [Gpu("1", UUIDS[1])]),  # there is no GPU 7
    ],
)
def test_the_variable_is_read_as_cuda_reads_it(named, expected):
    visible = visible_gpus({"CUDA_VISIBLE_DEVICES": named}, FOUR)
    assert sorted(visible, key=str) == sorted(expected, key=str)


def test_a_number_has_no_uuid_where_cuda_may_count_otherwise_than_the_listing():
    numbers = [Gpu("0", "index-0"), Gpu("1", "index-1")]
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "0,1"}, MIXED) == numbers
    assert visible_gpus({}, MIXED) == numbers
    by_place = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert visible_gpus(by_place, MIXED) == [Gpu(u, u) for u in UUIDS[:2]]
    named = {**by_place, "CUDA_VISIBLE_DEVICES": "1"}
    assert visible_gpus(named, MIXED) == [Gpu("1", UUIDS[1])]


def test_the_first_slice_stands_for_the_number_of_its_gpu():
    visible = visible_gpus({"CUDA_VISIBLE_DEVICES": "0"}, SLICED)
    assert visible == [Gpu("0", SLICES[0])]


def test_without_a_listing_the_names_of_the_variable_serve():
    visible = visible_gpus({"CUDA_VISIBLE_DEVICES": f"0,{UUIDS[1]}"}, None)
    assert visible == [Gpu("0", "index-0"), Gpu(UUIDS[1], UUIDS[1])]
    assert visible_gpus({}, None) == [Gpu(None, "all")]


@pytest.mark.parametrize("variable", ["SLURM_JOB_GPUS", "SLURM_STEP_GPUS"])
def test_what_slurm_assigned_is_visible_and_nothing_else(variable):
    assigned = [Gpu(uuid, uuid) for uuid in UUIDS[2:]]
    assert visible_gpus({variable: "2,3"}, FOUR) == assigned
    two = "".join(line for line in FOUR.splitlines(keepends=True)[2:])  # the others are hidden
    assert visible_gpus({variable: "2,3"}, two) == assigned
    # Slurm sets the variable too; it counts within the job where it hides the others.
    renumbered = {variable: "2,3", "CUDA_VISIBLE_DEVICES": "0,1"}
    assert [gpu.name for gpu in visible_gpus(renumbered, two)] == UUIDS[2:]


def test_the_step_has_the_word_before_the_job():
    slurm = {"SLURM_JOB_GPUS": "0,1,2", "SLURM_STEP_GPUS": "1"}
    assert visible_gpus(slurm, FOUR) == [Gpu(UUIDS[1], UUIDS[1])]


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """Put a program ``nvidia-smi`` that runs a line of shell in front of all others."""

    def put(line):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        monkeypatch.setattr("importlib.metadata.version", lambda name: "2.13.0+cu130")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")

    return put


def test_a_driver_that_fails_is_no_gpu(nvidia_smi):
    nvidia_smi("echo NVIDIA-SMI has failed; exit 9")
    assert usable_gpus() == []


def test_the_listing_comes_from_the_program(nvidia_smi, monkeypatch):
    nvidia_smi(f"""[ "$1" = -L ] && echo 'GPU 0: {H100} (UUID: {UUIDS[0]})'""")
    assert usable_gpus() == [Gpu(UUIDS[0], UUIDS[0])]
    monkeypatch.setattr("importlib.metadata.version", lambda name: "2.13.0+cpu")
    assert usable_gpus() == []
