import csv
import io

import pytest
from folders import a_table
from hypothesis import given
from hypothesis import strategies as st

from sw2.errors import InvalidInput
from sw2.formats.guess import column_type, parse
from sw2.formats.labels import read_labels


def read(tmp_path, text, encoding="utf-8"):
    return read_labels(a_table(tmp_path / "labels.csv", text, encoding))


def pairs(file):
    return [(row.path, row.label) for row in file.rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    text = "file,class,split\n1.png,coat,train\n".replace(",", delimiter)
    row = read(tmp_path, text).rows[0]
    assert (row.path, row.label, row.split, row.line) == ("1.png", "coat", "train", 2)


@pytest.mark.parametrize("header", ["Path,Label", "file,class", "FILENAME,target", "id,category"])
def test_columns_go_by_several_names(tmp_path, header):
    assert pairs(read(tmp_path, f"{header}\n1.png,coat\n")) == [("1.png", "coat")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark_are_understood(tmp_path, encoding):
    assert pairs(read(tmp_path, "path,label\n1.png,manteau été\n", encoding)) == [
        ("1.png", "manteau été")
    ]


def test_windows_line_ends_and_empty_lines_do_no_harm(tmp_path):
    file = read(tmp_path, "path,label\r\n\r\n1.png,coat\r\n\r\n")
    assert [(row.line, row.path, row.label) for row in file.rows] == [(3, "1.png", "coat")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1.png", "1 field, but the header has 2"),
        ("1.png,coat,red", "3 fields, but the header has 2"),
        (",coat", "the line names no picture"),
        ('"1.png,coat', '1 field, but the header has 2; a quote (") runs on to line 4'),
    ],
)
def test_a_bad_line_is_told_and_the_rest_goes_on(tmp_path, line, reason):
    file = read(tmp_path, f"path,label\n0.png,bag\n{line}\n2.png,coat\n")
    assert [(s.path, s.line, s.reason) for s in file.skipped] == [("labels.csv", 3, reason)]
    assert pairs(file)[0] == ("0.png", "bag")


def test_only_the_line_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes(b"path,label\n1.png,\xe9t\xe9\n2.png,coat\n")
    file = read_labels(path)
    assert pairs(file) == [("2.png", "coat")]
    assert [(s.line, s.reason.split(";")[0]) for s in file.skipped] == [(2, "not UTF-8")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("path,colour\n1.png,red\n", "no column for the label; its columns: path, colour"),
        ("where,label\n1.png,coat\n", "no column for the path"),
        ("path,label,Label\n", "more than one column `label`"),
    ],
)
def test_a_file_that_cannot_be_used_at_all_is_an_error(tmp_path, text, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        read(tmp_path, text)
    assert caught.value.hint


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(InvalidInput, match="No such file"):
        read_labels(tmp_path / "none.csv")


words = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1).filter(
    str.strip
)


@given(st.lists(st.tuples(words, words), min_size=1))
def test_what_csv_writes_is_read_back(tmp_path_factory, rows):
    out = io.StringIO()
    csv.writer(out).writerows([("path", "label"), *rows])
    file = read_labels(a_table(tmp_path_factory.mktemp("csv") / "l.csv", out.getvalue()))
    assert pairs(file) == [(path.strip(), label.strip()) for path, label in rows]
    assert not file.skipped


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-2", ""], "int"),
        (["1", "2.5"], "float"),
        (["true", "No"], "bool"),
        (["007", "008"], "string"),
        (["1", "x"], "string"),
        (["", ""], "string"),
        (["9223372036854775808"], "float"),
    ],
)
def test_the_narrowest_type_that_fits_all_values_is_taken(values, expected):
    assert column_type(values) == expected


@given(
    st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False))
)
def test_numbers_are_read_back(number):
    text = str(number)
    assert parse(text, column_type([text])) == number
