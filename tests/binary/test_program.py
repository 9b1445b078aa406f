"""A binary is one file that runs anywhere and says what it is."""

import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sw2.binary import inspect, load, name_of_file, read_report, write
from sw2.errors import InvalidInput, NotFound


def a_picture(side=12, shade=100):
    out = io.BytesIO()
    Image.new("L", (side, side), shade).save(out, "PNG")
    return out.getvalue()


def test_a_program_predicts_bytes_paths_and_arrays_alike(program_file, tmp_path):
    file = tmp_path / "picture.png"
    file.write_bytes(a_picture())
    array = np.full((12, 12), 100, np.uint8)
    found = load(program_file).predict([a_picture(), file, str(file), array])
    assert found == [found[0]] * 4
    assert found[0].label == max(found[0].probabilities, key=found[0].probabilities.get)
    assert sum(found[0].probabilities.values()) == pytest.approx(1, abs=1e-6)


def test_batches_change_nothing(program_file):
    pictures = [a_picture(shade=shade) for shade in range(0, 250, 25)]
    program = load(program_file)
    assert program.predict(pictures, batch=3) == program.predict(pictures)
    assert program.predict([]) == []


def test_pictures_of_another_size_are_fitted(program_file):
    assert load(program_file).predict([a_picture(40)]) == load(program_file).predict([a_picture()])


def test_a_broken_picture_is_named(program_file, tmp_path):
    with pytest.raises(InvalidInput, match="picture 1: not a picture"):
        load(program_file).predict([a_picture(), b"hello"])
    with pytest.raises(NotFound, match=r"picture 0.*absent\.png"):
        load(program_file).predict([tmp_path / "absent.png"])
    with pytest.raises(InvalidInput, match="uint8"):
        load(program_file).probabilities(np.zeros((1, 5, 5, 1), np.uint8))


def test_a_program_carries_its_own_test(program_file):
    result = load(program_file).self_test()
    assert (result.cases, result.passed) == (4, True)


def test_a_program_whose_answers_changed_fails_its_test(parts, manifest, tmp_path):
    write(
        tmp_path / "p", manifest, replace(parts, golden_outputs=parts.golden_outputs[::-1].copy())
    )
    assert not load(tmp_path / "p").self_test().passed


def test_the_manifest_and_the_report_are_read_without_running(program_file, manifest, parts):
    found = inspect(program_file)
    assert found.labels == ("cat", "dog", "owl")
    assert found.picture == (12, 12, 1)
    assert replace(found, members={}) == manifest
    assert read_report(program_file) == parts.report


def test_the_cost_is_computed_from_the_graph(manifest, parts):
    conv1, conv2 = 12 * 12 * 9 * 16, 6 * 6 * 9 * 16 * 32
    dense = 32 * 3 * 3 * 64 + 64 * 3
    assert manifest.cost.multiply_adds == conv1 + conv2 + dense
    assert manifest.cost.parameters == sum(array.size for array in parts.weights.values())
    assert manifest.cost.operators["Conv"] == 2
    # the largest step holds the first convolution's output twice: before and after its ReLU
    assert manifest.cost.activation_bytes == 2 * 4 * 12 * 12 * 16


def test_the_same_parts_give_the_same_file(program_file, parts, manifest, tmp_path):
    assert write(tmp_path / "again", manifest, parts) == name_of_file(program_file)


def test_running_needs_neither_torch_nor_onnx_and_importing_no_runtime(program_file):
    code = (
        "import sys, sw2.binary\n"
        "assert 'onnxruntime' not in sys.modules\n"
        f"assert sw2.binary.load({str(program_file)!r}).self_test().passed\n"
        "assert not {'torch', 'onnx'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
