"""Damage is told, names what it hit, and is never served as data; the rest stays readable."""

import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw2.errors import Damaged, NotFound, Sw2Error
from sw2.store import ObjectStore, StoreFault

RAWS = [b"a picture" * 40, b"", os.urandom(50), b"x", bytes(range(256)) * 3]


def a_store(folder, raws=RAWS):
    store = ObjectStore(folder)
    with store.write() as writer:
        names = [writer.put(raw) for raw in raws]
    (pack,) = folder.glob("??/*.pack")
    return store, names, pack


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return a_store(tmp_path_factory.mktemp("sound"))


def damaged(sound, tmp_path_factory, change):
    """A copy of the sound store whose pack went through `change`."""
    store, names, pack = sound
    folder = tmp_path_factory.mktemp("damaged") / "packs"
    shutil.copytree(store.folder, folder)
    path = folder / pack.relative_to(store.folder)
    path.write_bytes(change(path.read_bytes()))
    return ObjectStore(folder), names, path


def flip(place, mask):
    def change(raw):
        return raw[:place] + bytes([raw[place] ^ mask]) + raw[place + 1 :]

    return change


def read_or_none(store, name):
    try:
        return store.get(name)
    except (Damaged, NotFound):
        return None


def test_every_flipped_byte_is_found_and_none_is_served(sound, tmp_path_factory):
    store, names, pack = damaged(sound, tmp_path_factory, lambda raw: raw)
    whole = pack.read_bytes()
    for place in range(len(whole)):
        pack.write_bytes(flip(place, 0xFF)(whole))
        opened = ObjectStore(store.folder)
        assert list(opened.verify()), f"byte {place} of the pack"
        for name, raw in zip(names, RAWS, strict=True):
            assert read_or_none(opened, name) in (raw, None)


@given(data=st.data(), mask=st.integers(1, 255))
def test_any_flip_is_found_or_changes_nothing_that_is_read(sound, tmp_path_factory, data, mask):
    """One bit of a zstd frame's header means nothing, by its specification."""
    place = data.draw(st.integers(0, sound[2].stat().st_size - 1))
    store, names, _ = damaged(sound, tmp_path_factory, flip(place, mask))
    served = [read_or_none(store, name) for name in names]
    assert list(store.verify()) or served == RAWS
    assert all(got in (raw, None) for got, raw in zip(served, RAWS, strict=True))


def test_damage_after_opening_is_found_too(sound, tmp_path_factory):
    store, names, pack = damaged(sound, tmp_path_factory, lambda raw: raw)
    for place in (0, len(pack.read_bytes()) - 60, len(pack.read_bytes()) - 1):
        whole = pack.read_bytes()
        pack.write_bytes(flip(place, 1)(whole))
        assert list(store.verify())
        pack.write_bytes(whole)
    assert not list(store.verify())
    assert store.get(names[0]) == RAWS[0]


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 40, -1, -44, -45])
def test_a_truncated_pack_is_told_and_the_rest_stays_readable(sound, tmp_path_factory, keep):
    store, names, pack = damaged(sound, tmp_path_factory, lambda raw: raw[:keep])
    with store.write() as writer:
        other = writer.put(b"in another pack")
    assert store.get(other) == b"in another pack"
    assert [fault.where for fault in store.verify()] == [f"pack {pack.name}"]
    with pytest.raises(NotFound) as told:
        store.get(names[0])
    assert "fsck" in told.value.hint


def test_a_pack_that_goes_missing_is_told(sound, tmp_path_factory):
    store, names, pack = damaged(sound, tmp_path_factory, lambda raw: raw)
    pack.unlink()
    with pytest.raises(Damaged) as told:
        store.get(names[0])
    assert pack.name in told.value.message
    assert told.value.hint
    assert list(store.verify()) == [
        StoreFault(f"pack {pack.name}", f"pack `{pack.name}` is missing")
    ]


def test_a_pack_under_the_name_of_another_is_told(sound, tmp_path_factory):
    store, _, pack = damaged(sound, tmp_path_factory, lambda raw: raw)
    pack.rename(pack.with_name("0" * 64 + ".pack"))
    assert list(ObjectStore(store.folder).verify())


@given(raw=st.binary(max_size=300))
def test_a_file_of_noise_is_told(tmp_path_factory, raw):
    folder = tmp_path_factory.mktemp("noise")
    (folder / "ab").mkdir()
    (folder / "ab" / "noise.pack").write_bytes(b"SW2PACK1" + raw + b"SW2PEND1")
    store = ObjectStore(folder)
    assert len(list(store.verify())) == 1
    with pytest.raises(Sw2Error):
        store.get("0" * 64)
