"""What the page asks for: pages, facets, one example, problems."""

import csv
import uuid
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_shop import answers
from starlette.testclient import TestClient

import sw2
from sw2.errors import InvalidInput
from sw2.ide.app import create_app
from sw2.ide.board import make_board
from sw2.ide.edits import commit, edit, undo
from sw2.ide.schema import EditRequest
from sw2.ide.workbench import Workbench
from sw2.repo import Edit
from sw2.values import Origin

FACETS = ["split", "label", "prediction", "finding", "state"]


def items(client, **query) -> list[dict]:
    return client.get("/api/examples", params={"limit": 500, **query}).json()["items"]


def ids(client, **query) -> list[str]:
    return client.get("/api/examples/ids", params=query).json()


def test_the_worst_come_first(client, repository):
    with (repository.folder / "answer-key.csv").open(newline="") as file:
        planted = {row["path"] for row in csv.DictReader(file)}
    order = ids(client)
    by_chance = len(planted) / len(order)
    assert len(planted & set(order[:24])) / 24 > 4 * by_chance


def test_the_order_stays_while_labels_are_edited(client):
    before = ids(client)
    request = {"client_id": "1", "verb": "accept", "ids": before[:10]}
    client.post("/api/edits", json=request).raise_for_status()
    assert ids(client) == before


def test_pages_tile_the_order(client):
    order = ids(client)
    pages = [
        client.get("/api/examples", params={"offset": offset, "limit": 90}).json()
        for offset in range(0, len(order), 90)
    ]
    assert [item["id"] for page in pages for item in page["items"]] == order
    assert {page["filtered"] for page in pages} == {len(order)}


@pytest.mark.parametrize("order", ["worst", "id", "uncertain", "recent"])
def test_every_order_holds_everything_once(client, order):
    found = ids(client, order=order)
    assert sorted(found) == sorted(set(found))
    assert len(found) == 400


def test_values_of_one_filter_join_by_or_and_filters_by_and(client):
    coats_or_bags = items(client, label=["Coat", "Bag"])
    assert {item["given"] for item in coats_or_bags} == {"Coat", "Bag"}
    tested = items(client, label=["Coat", "Bag"], split="test")
    assert [i["id"] for i in tested] == [i["id"] for i in coats_or_bags if i["split"] == "test"]


def test_text_finds_ids(client):
    assert all("0001" in key for key in ids(client, q="0001"))
    assert ids(client, q="no such name") == []


def test_facets_count_what_the_filters_would_leave(client):
    chosen = {"label": "Shirt", "state": "unreviewed"}
    found = client.get("/api/facets", params=chosen).json()
    for facet in found["facets"]:
        others = {name: value for name, value in chosen.items() if name != facet["name"]}
        for value in facet["values"]:
            left = ids(client, **others, **{facet["name"]: value["value"]})
            assert value["count"] == len(left), (facet["name"], value)


def shows(item: dict, name: str, value: str) -> bool:
    """Whether a facet's value says something true of a tile, told from the tile alone."""
    if name == "state":
        differs = None not in (item["given"], item["prediction"])
        differs = differs and item["given"] != item["prediction"]
        states = {"reviewed": item["reviewed"], "unreviewed": not item["reviewed"]}
        return (states | {"edited": item["edited"], "disagree": differs})[value]
    part = {"label": "given"}.get(name, name)
    return (item[part] or "none") == value


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_filters_leave_what_the_tiles_say_and_facets_count_it(client, data):
    whole, everything = client.get("/api/facets").json(), items(client)
    chosen = {
        facet["name"]: data.draw(
            st.lists(st.sampled_from([v["value"] for v in facet["values"]]), unique=True), "values"
        )
        for facet in whole["facets"]
    }

    def left(without: str = "") -> list[dict]:
        rules = [(n, values) for n, values in chosen.items() if values and n != without]
        return [
            item
            for item in everything
            if all(any(shows(item, n, v) for v in vs) for n, vs in rules)
        ]

    assert ids(client, **chosen) == [item["id"] for item in left()]
    found = client.get("/api/facets", params=chosen).json()
    assert (found["total"], found["filtered"]) == (400, len(left()))
    for facet in found["facets"]:
        name = facet["name"]
        for value in facet["values"]:
            matching = [item for item in left(without=name) if shows(item, name, value["value"])]
            assert value["count"] == len(matching), (name, value)


def test_facets_are_those_that_the_page_knows(client):
    names = [facet["name"] for facet in client.get("/api/facets").json()["facets"]]
    assert sorted(names) == sorted(FACETS)  # `change` comes with a second build


def test_one_example_tells_its_evidence(client):
    key = ids(client)[0]
    found = client.get("/api/example", params={"id": key}).json()
    assert sum(p["value"] for p in found["probabilities"]) == pytest.approx(1, abs=1e-3)
    assert len(found["neighbours"]) == 5
    assert key not in [n["id"] for n in found["neighbours"]]
    assert len(found["losses"]) == 4  # epochs
    assert [entry["kind"] for entry in found["history"]] == ["import"]
    assert found["history"][0]["source"] == "labels.csv"


def test_problems_are_the_open_findings_and_lead_to_examples(client):
    found = client.get("/api/problems").json()
    assert found["open"] == found["total"] > 0
    assert {problem["code"] for problem in found["items"]} <= {"W101", "W201", "W202", "W203"}
    settled = found["items"][0]
    client.post("/api/edits", json={"client_id": "1", "verb": "keep", "ids": [settled["id"]]})
    after = client.get("/api/problems").json()
    assert after["open"] < found["open"]
    assert next(p for p in after["items"] if p["id"] == settled["id"])["resolved"]


def test_pictures_are_sent_as_they_are_and_kept_for_ever(client, repository):
    first = items(client)[0]
    name = first["media"].rsplit("/", 1)[1]
    answer = client.get(first["media"])
    assert answer.content == repository.media(name)
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    assert (first["width"], first["height"]) == (28, 28)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/api/examples?label=Nope", 422, "invalid-input"),
        ("/api/examples?state=nope", 422, "invalid-input"),
        ("/api/examples?limit=0", 422, "invalid-input"),
        ("/api/examples?order=nope", 422, "invalid-input"),
        ("/api/example?id=nope", 404, "not-found"),
        ("/api/example", 422, "invalid-input"),
        ("/api/media/nope", 404, "not-found"),
        (f"/api/media/{'0' * 64}", 404, "not-found"),
        ("/api/commits/nope", 404, "not-found"),
        ("/api/builds/nope", 404, "not-found"),
        ("/api/nope", 404, "not-found"),
    ],
)
def test_a_bad_question_is_answered_in_one_shape(client, path, status, kind):
    answer = client.get(path)
    assert answer.status_code == status
    assert set(answer.json()) == {"kind", "message", "hint"}
    assert answer.json()["kind"] == kind


def a_client(repository) -> TestClient:
    headers = {"authorization": "Bearer t"}
    app = create_app(repository, "Ann", "t")
    return TestClient(app, base_url="http://127.0.0.1:8765", headers=headers)


def test_before_the_first_import_everything_is_empty_and_nothing_fails(tmp_path):
    with a_client(sw2.init(tmp_path / "empty")) as client:
        session = client.get("/api/session").json()
        assert (session["rows"], session["program"], session["labels"]) == (0, None, [])
        assert client.get("/api/examples").json()["items"] == []
        assert client.get("/api/facets").json()["total"] == 0
        assert client.get("/api/problems").json()["items"] == []
        assert client.get("/api/pending").json()["items"] == []
        assert client.get("/api/log").json() == []
        assert client.get("/api/builds").json() == []
        assert client.post("/api/builds").status_code == 404


def test_without_a_program_the_order_is_that_of_the_ids(repository):
    for folder in (repository.folder / "builds").iterdir():
        (folder / "build.json").unlink()
    with a_client(repository) as client:
        assert ids(client) == sorted(ids(client))
        assert client.get("/api/session").json()["program"] is None
        assert {item["prediction"] for item in items(client)} == {None}
        assert items(client, state="disagree") == []


def test_examples_without_a_label_have_a_value_of_their_own(client, repository):
    key = ids(client)[0]
    repository.edit([Edit(key, "label", None)], Origin("Ann"), "empty")
    assert ids(client, label="none") == [key]
    assert client.get("/api/example", params={"id": key}).json()["item"]["loss"] is None


choices = st.lists(
    st.tuples(
        st.sampled_from(["label", "accept", "keep", "undo", "redo", "commit"]), st.integers(0, 30)
    ),
    max_size=8,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(choices)
def test_the_kept_board_is_what_a_fresh_one_would_be(repository, chosen):
    bench = Workbench(repository, "Ann")
    order = bench.board().ids
    for verb, at in chosen:
        client_id = uuid.uuid4().hex
        if verb in ("undo", "redo"):
            undo(bench, client_id, redo=verb == "redo")
        elif verb == "commit":
            with suppress(InvalidInput):  # nothing to commit
                commit(bench, "So far")
        else:
            label = "Bag" if verb == "label" else None
            edit(bench, EditRequest(client_id=client_id, verb=verb, ids=[order[at]], label=label))
    kept = bench.board()
    fresh = make_board(repository, kept.columns, *bench.programs())
    assert (kept.given == fresh.given).all()
    assert (kept.reviewed == fresh.reviewed).all()
    assert (kept.edited == fresh.edited).all()
    assert (kept.touched_at == fresh.touched_at).all()
    of_labels = [f for f in fresh.findings if f.code == "W101"]
    assert [f for f in kept.findings if f.code == "W101"] == of_labels


def test_planted_errors_count_as_found_once_they_are_right(client):
    session = client.get("/api/session").json()
    assert session["planted"] == {"total": 24, "fixed": 0}
    mine = {key: label for key, label in answers().items() if key in set(ids(client))}
    for label, count in Counter(mine.values()).items():
        some = [key for key, right in mine.items() if right == label]
        assert len(some) == count
        request = {"client_id": label, "verb": "label", "label": label, "ids": some}
        session = client.post("/api/edits", json=request).json()["session"]
    assert session["planted"] == {"total": 24, "fixed": 24}
