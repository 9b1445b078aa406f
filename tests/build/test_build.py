"""A build makes a program and remembers everything that it saw."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from tiny_builds import LABELS, a_job, build_rows, some_rows

from sw2.binary import load
from sw2.build import build_key, make, read_build, toolchain
from sw2.build.folder import lock, write_state
from sw2.errors import BuildFailed, Cancelled, Conflict, Damaged
from sw2.progress import silent


def weights(build):
    return {name: raw.tobytes() for name, raw in weight_arrays(build).items()}


def weight_arrays(build):
    from sw2.binary.archive import read_members
    from sw2.binary.program import tensors

    members = read_members(build.binary, ("weights.safetensors",))
    return tensors(members["weights.safetensors"], "weights")


def stop_after(calls):
    left = iter(range(calls))
    return lambda: next(left, None) is None


def never_ready(tell):
    raise AssertionError("an unchanged build must not read its data again")


def test_a_build_learns_the_examples(finished):
    report = finished.report()
    assert finished.status == "done"
    assert report.accuracy > 0.8
    assert report.interval[0] < report.accuracy <= report.interval[1]
    assert (report.tested, report.trained, report.labels) == (36, 120, LABELS)
    assert [epoch.epoch for epoch in report.epochs] == [1, 2, 3, 4]


def test_the_export_was_compared_on_the_whole_test_split(finished):
    check = finished.report().export
    assert (check.rows, check.argmax_equal) == (36, True)
    assert check.max_difference <= 1e-5


def test_the_program_predicts_the_pictures_as_the_signals_say(finished):
    _, media = some_rows()
    signals = finished.signals()
    found = load(finished.binary).predict([media[key] for key in signals.keys])
    assert [LABELS.index(p.label) for p in found] == signals.prediction.tolist()
    assert [p.probability for p in found] == pytest.approx(signals.probabilities.max(1), abs=1e-5)


def test_there_are_signals_for_every_example(finished):
    signals = finished.signals()
    assert len(signals) == 156
    assert signals.losses.shape == (156, 4)
    assert np.isfinite(signals.losses).all()
    assert np.isfinite(signals.margin).all()
    assert signals.average.sum(1) == pytest.approx(1, abs=1e-4)
    assert finished.features().shape == (156, 64)


def test_the_lock_in_the_manifest_says_what_went_in(finished):
    manifest = load(finished.binary).manifest
    assert (manifest.lock.commit, manifest.lock.data, manifest.lock.seed) == ("c0ffee", "data", 1)
    assert manifest.cost.multiply_adds > 0


def test_unlabelled_examples_are_predicted_and_not_trained_on(tmp_path):
    rows, media = some_rows(train=20, test=5)
    given = rows.given.copy()
    given[:3] = -1
    signals = build_rows(tmp_path / "b", replace(rows, given=given), media).signals()
    assert signals.given[:3].tolist() == [-1, -1, -1]
    assert np.isnan(signals.losses[:3]).all()
    assert np.isnan(signals.margin[:3]).all()
    assert signals.probabilities[:3].sum(1) == pytest.approx(1, abs=1e-5)


def test_an_unchanged_build_is_answered_at_once(finished):
    again = make(finished.folder, a_job(), never_ready, silent, lambda: False)
    assert (again.cached, again.state) == (True, finished.state)


def test_an_unchanged_build_does_not_import_torch(finished):
    code = (
        "import sys, pathlib\n"
        "from sw2.build import Job, Spec, make\n"
        f"job = Job(Spec(epochs=4, seed=1), 'c0ffee', 'data', {a_job().tools!r})\n"
        f"found = make(pathlib.Path({str(finished.folder)!r}), job, None, None, None)\n"
        "assert found.cached and found.report().accuracy\n"
        "assert not {'torch', 'onnx', 'onnxruntime', 'PIL'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_same_inputs_give_the_same_file_in_another_folder_and_process(finished, tmp_path):
    """A fresh process in another directory, so that nothing of either can be in the bytes."""
    here = os.path.dirname(__file__)
    code = (
        f"import sys, pathlib; sys.path.insert(0, {here!r})\n"
        "from tiny_builds import build_rows, some_rows\n"
        "print(build_rows(pathlib.Path('elsewhere/deep'), *some_rows()).state.program)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == finished.state.program
    assert b"/" not in load_graph(finished).replace(b"weights.safetensors", b"")


def load_graph(build):
    from sw2.binary.archive import read_members

    return read_members(build.binary, ("graph.onnx",))["graph.onnx"]


@pytest.mark.parametrize("calls", [5, 16, 20])
def test_a_stopped_build_goes_on_to_the_same_bits(finished, tmp_path, calls):
    rows, media = some_rows()
    with pytest.raises(Cancelled, match="stopped"):
        build_rows(tmp_path / "b", rows, media, stop=stop_after(calls))
    assert read_build(tmp_path / "b").status == "cancelled"
    said = []
    resumed = build_rows(tmp_path / "b", rows, media, progress=said.append)
    assert any("goes on in epoch" in event.message for event in said)
    assert weights(resumed) == weights(finished)
    assert resumed.state.program == finished.state.program
    assert (resumed.signals().margin == finished.signals().margin).all()
    assert not resumed.checkpoint.exists()


def test_a_killed_build_reads_as_interrupted_and_goes_on_to_the_same_bits(finished, tmp_path):
    code = (
        f"import sys, pathlib; sys.path.insert(0, {os.path.dirname(__file__)!r})\n"
        "import time\n"
        "from tiny_builds import build_rows, some_rows\n"
        "def slow(event):\n"
        "    time.sleep(60 * event.message.startswith('epoch 2'))\n"
        f"build_rows(pathlib.Path({str(tmp_path / 'b')!r}), *some_rows(), progress=slow)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    folder = tmp_path / "b"
    for _ in range(600):
        if "epoch 2" in (folder / "log.txt").read_text() if (folder / "log.txt").exists() else "":
            break
        time.sleep(0.1)
    assert read_build(folder).status == "running"
    process.kill()
    process.wait()
    assert read_build(folder).status == "interrupted"
    assert build_rows(folder, *some_rows()).state.program == finished.state.program


def test_a_build_in_a_thread_gives_the_same_bits(finished, tmp_path):
    """The IDE builds beside its server; torch's thread count is per process and is put back."""
    import torch

    before = torch.get_num_threads()
    with ThreadPoolExecutor(1) as pool:
        built = pool.submit(build_rows, tmp_path / "b", *some_rows()).result()
    assert built.state.program == finished.state.program
    assert torch.get_num_threads() == before


def test_an_unexpected_error_is_kept_with_its_trace_and_not_swallowed(tmp_path):
    def broken(event):
        raise ZeroDivisionError("a fault in the caller")

    with pytest.raises(ZeroDivisionError):
        build_rows(tmp_path / "b", *some_rows(train=8, test=2), progress=broken)
    failed = read_build(tmp_path / "b")
    assert (failed.status, failed.state.error.kind) == ("failed", "error")
    assert "Traceback" in failed.log()


def test_a_damaged_checkpoint_costs_time_and_nothing_else(finished, tmp_path):
    rows, media = some_rows()
    with pytest.raises(Cancelled):
        build_rows(tmp_path / "b", rows, media, stop=stop_after(20))
    checkpoint = read_build(tmp_path / "b").checkpoint
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    said = []
    resumed = build_rows(tmp_path / "b", rows, media, progress=said.append)
    assert any("the checkpoint cannot be read" in event.message for event in said)
    assert resumed.state.program == finished.state.program


def test_another_seed_gives_another_program(finished, tmp_path):
    other = build_rows(tmp_path / "b", *some_rows(), job=a_job(seed=2))
    assert weights(other) != weights(finished)


def test_the_key_depends_on_all_that_went_in():
    tools = {"torch": "2"}
    key = build_key("data", a_job().spec, tools)
    assert key == build_key("data", a_job().spec, dict(tools))
    assert key != build_key("other", a_job().spec, tools)
    assert key != build_key("data", a_job(seed=2).spec, tools)
    assert key != build_key("data", a_job().spec, {"torch": "3"})
    assert {"torch", "onnxruntime", "processor"} <= toolchain().keys()


def test_events_are_kept_with_time_and_figures(finished):
    events = finished.events()
    train = [e.event for e in events if e.event.stage == "train"]
    assert [e.at for e in events] == sorted(e.at for e in events)
    assert {"loss", "accuracy", "epoch", "seconds_left"} <= train[-1].metrics.keys()
    assert train[-1].done == train[-1].total
    assert "epoch 4 of 4" in finished.log()


def test_a_failed_build_says_why_and_can_be_tried_again(tmp_path):
    rows, media = some_rows(train=20, test=5)
    with pytest.raises(BuildFailed):
        build_rows(tmp_path / "b", rows, dict.fromkeys(media, b"x"))
    failed = read_build(tmp_path / "b")
    assert (failed.status, failed.state.error.kind) == ("failed", "build-failed")
    assert "not a picture" in failed.log()
    assert build_rows(tmp_path / "b", rows, media).status == "done"


def test_a_running_build_whose_process_is_gone_reads_as_interrupted(finished, tmp_path):
    tmp_path.joinpath("lock").touch()
    write_state(tmp_path, replace(finished.state, status="running", pid=2**22 + 1))
    assert read_build(tmp_path).status == "interrupted"


def test_two_builds_never_write_one_folder(finished, tmp_path):
    rows, media = some_rows(train=20, test=5)
    with lock(tmp_path):
        write_state(tmp_path, replace(finished.state, status="running"))
        assert read_build(tmp_path).status == "running"
        with pytest.raises(Conflict, match="running in another process"):
            build_rows(tmp_path, rows, media)


def test_a_damaged_state_is_an_error_not_a_guess(tmp_path):
    tmp_path.joinpath("build.json").write_text(json.dumps({"key": 3}))
    with pytest.raises(Damaged, match=r"build\.json"):
        read_build(tmp_path)


def test_colour_pictures_of_other_sizes_build_too(tmp_path):
    import io

    from PIL import Image

    rows, media = some_rows(train=12, test=4)
    for number, key in enumerate(rows.keys):
        shade = ["red", "green", "blue"][number % 3]
        out = io.BytesIO()
        Image.new("RGB", (64, 40) if number % 2 else (30, 30), shade).save(out, "JPEG")
        media[key] = out.getvalue()
    built = build_rows(tmp_path / "b", rows, media, job=a_job(epochs=6))
    assert load(built.binary).manifest.picture in ((40, 64, 3), (30, 30, 3))
    assert built.report().accuracy > 0.8
