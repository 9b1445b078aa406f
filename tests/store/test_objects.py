"""Put bytes, get a name; get the same bytes by name, whoever wrote them and whenever."""

import multiprocessing
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw2.errors import NotFound
from sw2.store import ObjectStore, name_of, objects
from sw2.store.packs import encode_object


@pytest.fixture
def store(tmp_path):
    return ObjectStore(tmp_path / "packs")


def put(store, *raws, **how):
    with store.write() as writer:
        return [writer.put(raw, **how) for raw in raws]


def packs(store):
    return sorted(store.folder.glob("??/*.pack"))


@given(raws=st.lists(st.binary(max_size=2000), max_size=8), compress=st.booleans())
def test_what_is_put_is_what_is_got(tmp_path_factory, raws, compress):
    store = ObjectStore(tmp_path_factory.mktemp("packs"))
    names = put(store, *raws, compress=compress)
    for reader in (store, ObjectStore(store.folder)):
        assert [reader.get(name) for name in names] == raws
        assert [reader.size(name) for name in names] == [len(raw) for raw in raws]
        assert sorted(reader.names()) == sorted(set(names))
    assert not list(store.verify())


@given(st.binary(max_size=500))
def test_a_name_does_not_depend_on_compression(raw):
    packed, plain = encode_object(raw * 10, True), encode_object(raw * 10, False)
    assert plain == (raw * 10, 0)
    assert len(packed[0]) <= len(plain[0])
    assert name_of(raw) == name_of(bytes(bytearray(raw)))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6))
def test_an_object_is_the_same_however_it_was_cut(tmp_path_factory, parts):
    store = ObjectStore(tmp_path_factory.mktemp("packs"))
    whole = b"".join(parts)
    with store.write() as writer:
        name = writer.put(*parts)
    assert name == name_of(whole)
    assert store.get(name) == whole
    assert not list(store.verify())


def test_parts_of_different_kinds_are_stored_in_fewer_bytes():
    rng = random.Random(1)
    digits, noise = bytes(rng.choices(range(10), k=1000)), rng.randbytes(1000)
    both = digits + noise
    assert len(encode_object(both, True, [digits, noise])[0]) < 1500
    assert len(encode_object(both, True)[0]) > 1600


def test_a_name_is_the_blake3_of_the_bytes():
    assert name_of(b"") == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"


def test_the_same_bytes_are_stored_once(store):
    put(store, b"cat" * 100, b"cat" * 100)
    before = packs(store)
    put(store, b"cat" * 100)
    assert packs(store) == before


def test_writing_nothing_makes_no_pack(store):
    put(store)
    assert not packs(store)


def test_another_instance_sees_what_was_written_after_it_was_opened(store):
    late = ObjectStore(store.folder)
    (name,) = put(store, b"new")
    assert late.has(name)
    assert late.get(name) == b"new"


def _put_in_child(folder, number):
    put(ObjectStore(folder), *(f"{number}/{each}".encode() for each in range(20)), b"shared")


def test_processes_write_side_by_side(store):
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_put_in_child, args=(store.folder, n)) for n in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    for number in range(3):
        for each in range(20):
            raw = f"{number}/{each}".encode()
            assert store.get(name_of(raw)) == raw
    assert store.get(name_of(b"shared")) == b"shared"
    assert not list(store.verify())


def test_threads_share_a_store(store):
    def work(number):
        (name,) = put(store, f"{number}".encode() * 50)
        return store.get(name), store.has(name_of(b"absent"))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(work, range(64)))
    assert answers == [(f"{n}".encode() * 50, False) for n in range(64)]


@pytest.mark.parametrize("name", [name_of(b"absent"), "", "zz", "../../etc", "A" * 64, "0" * 63])
def test_an_unknown_name_is_not_found(store, name):
    put(store, b"here")
    assert not store.has(name)
    with pytest.raises(NotFound) as told:
        store.get(name)
    assert told.value.hint


@pytest.fixture
def large(store):
    """A pack above the size from which a pack is searched in its own index."""
    rng = random.Random(7)
    raws = [rng.randbytes(rng.randrange(1, 24)) for _ in range(objects.SMALL_PACK + 500)]
    return store, dict(zip(put(store, *raws), raws, strict=True))


def test_a_large_pack_finds_all_its_objects_and_no_others(large):
    store, held = large
    opened = ObjectStore(store.folder)
    assert not opened._small
    assert all(opened.get(name) == raw for name, raw in held.items())
    assert not any(opened.has(name_of(str(number).encode() * 40)) for number in range(500))
    put(opened, *held.values())
    assert len(packs(store)) == 1


def test_names_that_end_in_zero_bytes_are_told_apart(store, monkeypatch):
    """numpy's byte strings drop zeros at the end, and no real hash can be made to have them."""
    monkeypatch.setattr(objects, "SMALL_PACK", 1)
    ends = ["00" * 3, "00" * 2 + "01", "01" + "00" * 2, "0100ff", "ffffff"]
    names = ["ab" * 29 + end for end in ends] + ["00" * 32]
    given = iter(names)
    monkeypatch.setattr(objects, "name_of", lambda raw: next(given))
    put(store, *(name.encode() for name in names), compress=False)
    opened = ObjectStore(store.folder)
    assert opened._large
    for name in names:
        entry = opened._find(name)
        assert Path(entry.pack).read_bytes()[entry.offset :][: entry.stored] == name.encode()
    assert not opened.has("ab" * 29 + "000100")
    assert not opened.has("ab" * 31 + "00")
