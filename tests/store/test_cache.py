"""The indexes of small packs in one file: quicker, and never another answer."""

import pytest

from sw2.store import ObjectStore
from sw2.store import objects as stores
from sw2.store.cache import read_cache


@pytest.fixture
def many(tmp_path, monkeypatch):
    """A store of five packs, its cache and what it holds."""
    monkeypatch.setattr(stores, "UNCACHED_PACKS", 3)
    folder, cache = tmp_path / "packs", tmp_path / "cache" / "packs"
    store, held = ObjectStore(folder, cache), {}
    for number in range(5):
        with store.write() as writer:
            raw = f"object {number}".encode() * 9
            held[writer.put(raw)] = raw
    return folder, cache, held


def read_all(folder, cache, held):
    store = ObjectStore(folder, cache)
    return {name: store.get(name) for name in held} == held


def test_a_store_opened_through_its_cache_says_the_same(many):
    folder, cache, held = many
    assert not cache.exists()
    assert read_all(folder, cache, held)
    assert len(read_cache(cache)) == 5
    assert read_all(folder, cache, held)
    assert sorted(ObjectStore(folder, cache).names()) == sorted(held)


def test_packs_written_since_are_found(many):
    folder, cache, held = many
    ObjectStore(folder, cache)
    with ObjectStore(folder, cache).write() as writer:
        held[writer.put(b"new")] = b"new"
    assert read_all(folder, cache, held)


def test_packs_that_have_gone_are_not_there(many):
    folder, cache, held = many
    ObjectStore(folder, cache)
    gone = next(folder.glob("??/*.pack"))
    gone.unlink()
    store = ObjectStore(folder, cache)
    assert sum(store.has(name) for name in held) == 4


def test_a_cache_with_any_byte_flipped_is_not_believed(many):
    folder, cache, held = many
    ObjectStore(folder, cache)
    raw = cache.read_bytes()
    for at in range(0, len(raw), 7):
        cache.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        assert read_cache(cache) == {}
    assert read_all(folder, cache, held)
    assert len(read_cache(cache)) == 5


def test_a_cache_cut_short_or_missing_or_not_writable_costs_only_time(many, tmp_path):
    folder, cache, held = many
    ObjectStore(folder, cache)
    cache.write_bytes(cache.read_bytes()[:50])
    assert read_all(folder, cache, held)
    assert read_all(folder, tmp_path / "no" / "such" / "place", held)
