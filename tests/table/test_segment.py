"""Segments hold what they were given; bytes that are none are told, quickly."""

from contextlib import suppress
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tables import ANNE, KEYS, NOW, a_schema, a_table, as_model, cells_of, plain

from sw2.errors import Damaged
from sw2.table.segment import Base, SegmentEntry, decode_segment, encode_segment

SCHEMA = a_schema()
ROWS = a_table(
    {
        k: {"category": k % 3, "string": f"s{k % 2}", "float": k / 8, "json": "1", "tags": [k % 4]}
        for k in range(40)
    },
    SCHEMA,
)
RAW = encode_segment(ROWS)


@given(st.dictionaries(KEYS["int"], cells_of(), max_size=8))
def test_a_segment_survives_writing_and_reading(rows):
    table = a_table(dict(sorted(rows.items())), SCHEMA)
    read = decode_segment(encode_segment(table), SCHEMA.columns)
    assert read.schema == SCHEMA.stored()
    assert plain(as_model(read, SCHEMA)) == plain(rows)


def test_the_same_rows_are_the_same_bytes():
    again = pa.concat_tables([ROWS.slice(0, 11), ROWS.slice(11)]).combine_chunks()
    assert encode_segment(again) == RAW


def test_a_column_that_a_segment_lacks_reads_as_nulls():
    wider = SCHEMA.add("later", "vector")
    read = decode_segment(RAW, [wider.column("later"), wider.column("int")])
    assert read[wider.column("later").id].to_pylist() == [None] * 40
    assert decode_segment(RAW, [wider.column("later")]).num_rows == 40


def test_a_column_of_another_type_is_damaged():
    wrong = [replace(SCHEMA.column("string"), type="int")]
    with pytest.raises(Damaged):
        decode_segment(RAW, wrong)


def decode_or_damaged(raw):
    with suppress(Damaged):
        decode_segment(raw, SCHEMA.columns)


@given(place=st.integers(0, len(RAW) - 1), mask=st.integers(1, 255))
def test_a_flipped_byte_is_damage_or_another_segment(place, mask):
    decode_or_damaged(RAW[:place] + bytes([RAW[place] ^ mask]) + RAW[place + 1 :])


@pytest.mark.slow
def test_every_flipped_byte_is_damage_or_another_segment():
    for place in range(len(RAW)):
        for mask in (0xFF, 1, 0x80):
            decode_or_damaged(RAW[:place] + bytes([RAW[place] ^ mask]) + RAW[place + 1 :])


@given(st.integers(0, len(RAW) - 1))
def test_a_truncated_segment_is_damaged(keep):
    with pytest.raises(Damaged):
        decode_segment(RAW[:keep], SCHEMA.columns)


@given(st.binary(max_size=200))
def test_noise_is_damaged(raw):
    for noise in (raw, b"PAR1" + raw + b"PAR1"):
        with pytest.raises(Damaged):
            decode_segment(noise, SCHEMA.columns)


def test_a_base_survives_writing_and_reading():
    entries = (SegmentEntry("ab" * 32, 3, "a", "c"), SegmentEntry("cd" * 32, 1, "ä", "猫"))
    base = Base(entries, ANNE, NOW)
    assert Base.parse(base.encode()) == base
    assert base.rows == 4


GOOD = Base((SegmentEntry("ab" * 32, 3, 1, 9),), ANNE, NOW).encode()


@given(st.data())
def test_a_flipped_base_is_damaged_or_another_base(data):
    raw = bytearray(GOOD)
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=3)):
        raw[place] ^= data.draw(st.integers(1, 255))
    try:
        assert Base.parse(bytes(raw)).rows is not None
    except Damaged:
        return


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b'{"format": 9}',
        GOOD.replace(b": 1800000000000", b": Infinity"),
        GOOD.replace(b"[[", b"[").replace(b"]]", b"]"),
        GOOD.replace(b", 3,", b', "many",'),
        GOOD.replace(b'"by"', b'"who"'),
    ],
)
def test_bytes_that_are_no_base_are_damaged(raw):
    with pytest.raises(Damaged):
        Base.parse(raw)
