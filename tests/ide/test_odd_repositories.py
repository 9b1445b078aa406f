"""Repositories that are not like the sample: twins, holes, damage, names changed since."""

import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from starlette.testclient import TestClient
from tiny_shop import a_tiny_shop, insert

from sw2.build import build
from sw2.ide import edits
from sw2.ide.app import create_app
from sw2.ide.board import make_board
from sw2.ide.query import Filter
from sw2.ide.schema import EditRequest
from sw2.ide.workbench import Workbench
from sw2.insight import findings
from sw2.repo import Edit, Repository
from sw2.values import Origin

ANN = Origin("Ann")


def a_client(repository: Repository) -> TestClient:
    app = create_app(repository, "Ann", "t")
    headers = {"authorization": "Bearer t"}
    return TestClient(app, base_url="http://127.0.0.1:8765", headers=headers)


def item(client: TestClient, key: str) -> dict:
    return client.get("/api/example", params={"id": key}).json()["item"]


def test_the_kept_findings_are_what_a_fresh_look_would_find(tmp_path):
    """With pictures that are there twice, and a class that becomes rare and common again."""
    repository = a_tiny_shop(tmp_path / "shop", twins=4)
    build(repository)
    bench, rng = Workbench(repository, "Ann"), random.Random(0)
    ids = bench.board().ids
    twins = [key for key in ids if key.startswith("twin")]
    for number in range(40):
        some = rng.sample(ids, 25) if rng.random() < 0.3 else [rng.choice(twins)]
        verb = rng.choice(["label", "label", "keep", "accept", "undo", "redo"])
        if verb in ("undo", "redo"):
            edits.undo(bench, str(number), redo=verb == "redo")
        else:
            label = rng.choice(["across", "down"]) if verb == "label" else None
            request = EditRequest(client_id=str(number), verb=verb, ids=some, label=label)
            edits.edit(bench, request)
        if number == 20:
            edits.commit(bench, "Half way")
        kept = bench.board()
        fresh = make_board(repository, kept.columns, *bench.programs())
        assert kept.findings == fresh.findings
        assert kept.findings == findings(repository, kept.program.build)
        assert (kept.finding == fresh.finding).all()
        assert bench.session().findings == bench.problems(None, 0, 1).open


def test_twins_that_were_made_to_agree_are_no_longer_in_conflict(tmp_path):
    repository = a_tiny_shop(tmp_path / "shop", twins=1)
    with a_client(repository) as client:
        found = client.get("/api/problems").json()["items"]
        assert {p["id"] for p in found if p["code"] == "W203"} == {"0000.png", "twin0.png"}
        right = item(client, "0000.png")["given"]
        request = {"client_id": "1", "verb": "label", "ids": ["twin0.png"], "label": right}
        client.post("/api/edits", json=request).raise_for_status()
        assert "W203" not in {p["code"] for p in client.get("/api/problems").json()["items"]}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ('target = "reviewed"', "target is `reviewed`"),
        ('target = "id"', "target is `id`"),
        ('input = "label"', "input is `label`"),
        ('split = "label"', "the target and the split"),
        ('target = "nope"', "no column `nope`"),
    ],
)
def test_a_spec_that_names_the_wrong_column_is_told_in_words(tmp_path, spec, says):
    repository = a_tiny_shop(tmp_path / "shop")
    (repository.root / "sw2.toml").write_text(f"[data]\n{spec}\n")
    with a_client(repository) as client:
        for path in ("session", "examples", "facets", "problems", "pending"):
            answer = client.get(f"/api/{path}")
            assert answer.status_code in (404, 422)
            assert says in answer.json()["message"]


def test_pictures_that_are_missing_broken_or_damaged_do_not_hide_the_others(tmp_path):
    repository = a_tiny_shop(tmp_path / "shop")
    insert(repository, "broken.png", b"no picture at all")
    insert(repository, "missing.png", None)
    insert(repository, "lost.png", "f" * 64)
    name = repository.read(["image"])["image"][0].as_py()
    damage(repository, name)
    with a_client(repository) as client:
        found = client.get("/api/examples", params={"limit": 500}).json()["items"]
        sizes = {i["id"]: (i["width"], i["height"]) for i in found}
        for key in ("broken.png", "missing.png", "lost.png", "0000.png"):
            assert sizes[key] == (0, 0)
        assert sizes["0001.png"] == (12, 12)
        assert item(client, "missing.png")["media"] == ""
        answers = {key: client.get(item(client, key)["media"]) for key in sizes if sizes[key][0]}
        assert {answer.status_code for answer in answers.values()} == {200}
        assert client.get(item(client, "broken.png")["thumb"]).status_code == 422
        assert client.get(item(client, "lost.png")["thumb"]).status_code == 404
        assert client.get(item(client, "0000.png")["thumb"]).json()["kind"] == "damaged"


def damage(repository: Repository, name: str) -> None:
    """Flips a byte of a stored picture."""
    raw = repository.media(name)
    for pack in repository.folder.glob("packs/**/*.pack"):
        held = bytearray(pack.read_bytes())
        if (at := held.find(raw)) >= 0:
            held[at + len(raw) // 2] ^= 1
            pack.chmod(0o644)
            pack.write_bytes(held)


def test_rows_newer_than_the_program_have_no_proposal_and_stay_undecided(tmp_path):
    repository = a_tiny_shop(tmp_path / "shop")
    build(repository)
    known = repository.read(["id"])["id"][0].as_py()
    insert(repository, "new.png", repository.media(repository.read(["image"])["image"][0].as_py()))
    with a_client(repository) as client:
        new = item(client, "new.png")
        assert (new["prediction"], new["proposed"], new["probability"]) == (None, None, None)
        request = {"client_id": "1", "verb": "accept", "ids": ["new.png"]}
        refused = client.post("/api/edits", json=request)
        assert refused.status_code == 422
        assert "does not know" in refused.json()["message"]
        request = {"client_id": "2", "verb": "accept", "ids": ["new.png", known]}
        client.post("/api/edits", json=request).raise_for_status()
        assert not item(client, "new.png")["reviewed"]
        assert item(client, known)["reviewed"]


def test_without_a_program_nothing_can_be_accepted(tmp_path):
    with a_client(a_tiny_shop(tmp_path / "shop")) as client:
        request = {"client_id": "1", "verb": "accept", "ids": ["0000.png"]}
        answer = client.post("/api/edits", json=request)
        assert (answer.status_code, answer.json()["kind"]) == (422, "invalid-input")
        assert client.get("/api/session").json()["pending"] == 0


def test_a_program_from_before_a_label_was_renamed_still_shows(tmp_path):
    repository = a_tiny_shop(tmp_path / "shop")
    build(repository)
    rename(repository, "across", "level")
    with a_client(repository) as client:
        found = client.get("/api/examples", params={"limit": 500}).json()["items"]
        assert {i["given"] for i in found} == {"level", "down", "blob"}
        assert {i["prediction"] for i in found} == {None, "down", "blob"}
        assert all((i["prediction"] is None) == (i["probability"] is None) for i in found)
        assert client.get("/api/facets").status_code == 200
        assert client.get("/api/problems").status_code == 200


def rename(repository: Repository, old: str, new: str) -> None:
    schema = repository.schema()
    columns = [
        replace(c, slots=tuple(new if label == old else label for label in c.slots))
        for c in schema.columns
    ]
    repository.define(replace(schema, columns=tuple(columns)), f"rename {old}")


@pytest.mark.parametrize("written", [True, False], ids=["test split", "held out by the build"])
def test_better_and_worse_are_the_comparison_s(tmp_path, written):
    repository = a_tiny_shop(tmp_path / "shop", split=written, spread=160)
    before = build(repository)
    keys = repository.read(["id"])["id"].to_pylist()
    spoil = [Edit(key, "label", "down") for key in random.Random(1).sample(keys, 70)]
    repository.edit(spoil, ANN, "spoil")
    repository.commit("Spoil the labels", "Ann")
    after = build(repository)
    assert before.id != after.id
    with a_client(repository) as client:
        found = client.get(f"/api/builds/{after.id}").json()["comparison"]
        assert found["better"] + found["worse"] > 0
        for change in ("better", "worse"):
            shown = client.get("/api/examples/ids", params={"change": change}).json()
            assert len(shown) == found[change]
        facets = {f["name"]: f["values"] for f in client.get("/api/facets").json()["facets"]}
        counts = {value["value"]: value["count"] for value in facets["change"]}
        assert counts == {name: found[name] for name in ("better", "worse")}


def test_rows_that_another_process_brings_while_pages_are_read_never_mix(tmp_path):
    """The board is of one moment: its columns all have the rows of its ids."""
    repository = a_tiny_shop(tmp_path / "shop")
    bench, other = Workbench(repository, "Ann"), Repository.open(repository.root)
    for number in range(20):
        insert(other, f"more{number}.png", None)
        if number % 3 == 2:
            other.undo()
        board = bench.board()
        columns = (board.given, board.reviewed, board.edited, board.split, board.finding)
        assert {len(column) for column in columns} == {len(board.ids)}
        assert board.ids == other.read(["id"])["id"].to_pylist()
        assert len(bench.ids(Filter(), "recent")) == len(board)


def test_the_most_uncertain_come_first_in_their_order(tmp_path):
    repository = a_tiny_shop(tmp_path / "shop")
    built = build(repository)
    signals = built.signals()
    top = np.sort(signals.probabilities, axis=1)
    margins = dict(zip(signals.keys, top[:, -1] - top[:, -2], strict=True))
    with a_client(repository) as client:
        order = client.get("/api/examples/ids", params={"order": "uncertain"}).json()
    assert [margins[key] for key in order] == sorted(margins.values())


def test_columns_are_found_by_the_names_that_the_spec_gives(tmp_path):
    repository = a_tiny_shop(tmp_path / "shop")
    schema = repository.schema().rename("label", "what").rename("image", "picture")
    repository.define(schema, "rename two columns")
    (repository.root / "sw2.toml").write_text('[data]\ntarget = "what"\ninput = "picture"\n')
    with a_client(repository) as client:
        assert client.get("/api/session").json()["target"] == "what"
        request = {"client_id": "1", "verb": "label", "ids": ["0000.png"], "label": "blob"}
        client.post("/api/edits", json=request).raise_for_status()
        pending = client.get("/api/pending").json()
        assert pending["by_pair"] == [["across", "blob", 1]]
        assert pending["items"][0]["column"] == "what"
        history = client.get("/api/example", params={"id": "0000.png"}).json()["history"]
        assert history[0]["column"] == "what"


def test_a_table_without_split_or_review_marks_can_be_looked_at_and_labelled(tmp_path):
    repository = a_tiny_shop(tmp_path / "shop", split=False, reviewed=False)
    build(repository)
    with a_client(repository) as client:
        names = [facet["name"] for facet in client.get("/api/facets").json()["facets"]]
        assert "split" not in names
        request = {"client_id": "1", "verb": "label", "ids": ["0000.png"], "label": "blob"}
        assert client.post("/api/edits", json=request).json()["items"][0]["given"] == "blob"
        assert isinstance(client.get("/api/problems").json()["total"], int)


def test_an_import_that_is_not_committed_yet_shows_and_can_be_taken_back(tmp_path):
    repository = a_tiny_shop(tmp_path / "shop", commit=False)
    rows = repository.read(["id"]).num_rows
    with a_client(repository) as client:
        assert client.get("/api/session").json()["rows"] == rows
        assert client.get("/api/pending").json()["rows"] == rows
        client.post("/api/undo", json={"client_id": "1"}).raise_for_status()
        assert client.get("/api/session").json()["rows"] == 0
        client.post("/api/redo", json={"client_id": "2"}).raise_for_status()
        assert client.get("/api/examples").json()["total"] == rows


def test_a_table_of_no_rows_is_an_empty_page(tmp_path):
    repository = a_tiny_shop(tmp_path / "shop", spread=0)
    assert isinstance(repository.read(), pa.Table)
    with a_client(repository) as client:
        assert client.get("/api/examples").json()["total"] == 0
        assert client.get("/api/facets").json()["total"] == 0
        assert client.get("/api/problems").json()["total"] == 0
