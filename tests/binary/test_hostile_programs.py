"""A binary from a stranger is opened safely: refused with a reason, never a crash."""

import zipfile
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from sw2.binary import inspect, load, write
from sw2.binary.graph import summarise
from sw2.errors import Damaged, InvalidInput, NotFound, Sw2Error


def rewritten(source, target, change, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        members = {name: old.read(name) for name in old.namelist()}
        for name, raw in change(members).items():
            new.writestr(name, raw)
    return target


def test_a_missing_file_and_a_file_of_another_kind(tmp_path):
    with pytest.raises(NotFound, match="no program"):
        load(tmp_path / "absent.sw2b")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(Damaged, match="cannot be read as a program"):
        load(tmp_path / "text")


def test_an_unknown_format_is_told_from_damage(parts, manifest, tmp_path):
    write(tmp_path / "p", replace(manifest, format=99), parts)
    with pytest.raises(InvalidInput, match="format '99'"):
        inspect(tmp_path / "p")


def test_a_missing_member_is_named(program_file, tmp_path):
    def without(members):
        return {name: raw for name, raw in members.items() if name != "graph.onnx"}

    with pytest.raises(Damaged, match=r"graph\.onnx"):
        load(rewritten(program_file, tmp_path / "p", without))


def test_a_changed_member_does_not_match_its_hash(program_file, tmp_path):
    def changed(members):
        return {**members, "report.json": members["report.json"].replace(b"0.9", b"1.0")}

    with pytest.raises(Damaged, match=r"report\.json does not match"):
        load(rewritten(program_file, tmp_path / "p", changed))


def test_compressed_members_are_refused_for_they_may_be_bombs(program_file, tmp_path):
    packed = rewritten(program_file, tmp_path / "p", dict, zipfile.ZIP_DEFLATED)
    with pytest.raises(Damaged, match="compressed"):
        load(packed)


def test_other_members_are_ignored_whatever_path_they_spell(program_file, tmp_path):
    def smuggled(members):
        return {**members, "../../evil.py": b"boom", "/etc/passwd": b"boom"}

    assert load(rewritten(program_file, tmp_path / "p", smuggled)).self_test().passed
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def a_graph(nodes, initializers=()):
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph(nodes, "g", [value], [value], list(initializers))
    return helper.make_model(graph).SerializeToString()


@pytest.mark.parametrize("operator", ["Loop", "If", "Scan", "RandomNormal", "StringSplit"])
def test_a_graph_with_a_loop_or_a_surprise_is_refused(operator):
    with pytest.raises(Damaged, match=operator):
        summarise(a_graph([helper.make_node(operator, ["x"], ["y"])]))


def test_an_operator_of_a_foreign_library_is_refused():
    with pytest.raises(Damaged, match="evil:Relu"):
        summarise(a_graph([helper.make_node("Relu", ["x"], ["y"], domain="evil")]))


def test_a_tensor_hidden_in_an_attribute_is_refused():
    tensor = helper.make_tensor("t", TensorProto.FLOAT, [1], [1.0])
    with pytest.raises(Damaged, match="attribute"):
        summarise(a_graph([helper.make_node("Relu", ["x"], ["y"], value=tensor)]))


def test_weights_may_not_be_files_of_this_machine(parts, manifest, tmp_path):
    outside = TensorProto(name="stolen", data_type=1, dims=[1], data_location=1)
    outside.external_data.add(key="location", value="/etc/passwd")
    graph = a_graph([helper.make_node("Relu", ["x"], ["y"])], [outside])
    assert summarise(graph).external == {"stolen"}
    write(tmp_path / "p", manifest, replace(parts, graph=graph))
    with pytest.raises(Damaged, match="graph and weights differ"):
        load(tmp_path / "p")


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_truncated_or_flipped_programs_never_crash(program_file, tmp_path_factory, data):
    raw = bytearray(program_file.read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.one_of(st.just(len(raw)), st.integers(0, len(raw))))
    path = tmp_path_factory.getbasetemp() / "damaged.sw2b"
    path.write_bytes(bytes(raw[:cut]))
    with suppress(Sw2Error):
        load(path).self_test()


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_damaged_graph_with_a_fitting_hash_never_crashes(parts, manifest, tmp_path_factory, data):
    """What a hostile author can do: the hashes are right and the graph is not."""
    graph = bytearray(parts.graph)
    for _ in range(data.draw(st.integers(1, 3))):
        graph[data.draw(st.integers(0, len(graph) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "hostile.sw2b"
    write(path, manifest, replace(parts, graph=bytes(graph)))
    with suppress(Sw2Error):
        load(path).self_test()
