"""What keys do: label, accept, keep, undo, commit. Carried out once, and on disk."""

import pytest
from starlette.testclient import TestClient

import sw2
from sw2.ide.app import create_app
from sw2.repo import Edit, fsck
from sw2.values import Origin


def worst(client, count: int = 1) -> list[dict]:
    return client.get("/api/examples", params={"limit": count}).json()["items"]


def send(client, client_id: str, verb: str, ids: list[str], label: str | None = None) -> dict:
    request = {"client_id": client_id, "verb": verb, "ids": ids, "label": label}
    answer = client.post("/api/edits", json=request)
    answer.raise_for_status()
    return answer.json()


def take_back(client, client_id: str, what: str = "undo") -> dict:
    return client.post(f"/api/{what}", json={"client_id": client_id}).json()


def test_a_digit_labels_and_marks_as_reviewed(client):
    key = worst(client)[0]["id"]
    answer = send(client, "1", "label", [key], "Bag")
    item = answer["items"][0]
    assert (item["given"], item["reviewed"], item["edited"]) == ("Bag", True, True)
    assert answer["session"]["pending"] == 1
    assert answer["saved_at"] == answer["session"]["saved_at"]


def test_accepting_sets_what_was_proposed_and_says_from_what(client):
    first = worst(client)[0]
    item = send(client, "1", "accept", [first["id"]])["items"][0]
    assert item["given"] == first["proposed"] != first["given"]
    assert item["finding"] is None
    entry = client.get("/api/example", params={"id": first["id"]}).json()["history"][0]
    assert (entry["by"], entry["commit"]) == ("Ann", None)
    program = client.get("/api/session").json()["program"]
    assert entry["source"] == f"shop@{program['build']}"


def test_keeping_only_marks_as_reviewed(client):
    first = worst(client)[0]
    item = send(client, "1", "keep", [first["id"]])["items"][0]
    assert (item["given"], item["reviewed"]) == (first["given"], True)
    assert client.get("/api/pending").json()["reviewed"] == 1


def test_many_at_once_are_one_action(client):
    some = [item["id"] for item in worst(client, 200)]
    assert send(client, "1", "label", some, "Bag")["count"] == 200
    assert take_back(client, "2")["session"]["pending"] == 0


def test_what_is_sent_twice_is_carried_out_once(client, repository):
    key = worst(client)[0]["id"]
    first = send(client, "1", "label", [key], "Bag")
    assert send(client, "1", "label", [key], "Bag")["saved_at"] == first["saved_at"]
    assert repository.state.stamp()[0] == 1
    other = worst(client, 2)[1]["id"]
    send(client, "2", "label", [other], "Bag")
    once, twice = take_back(client, "3"), take_back(client, "3")
    assert once["ids"] == twice["ids"] == [other]
    assert repository.state.stamp()[0] == 1


@pytest.mark.parametrize(
    ("verb", "ids", "label", "status"),
    [
        ("label", ["nope"], "Bag", 404),
        ("label", ["pictures/train/00001.png"], "Bga", 422),
        ("label", ["pictures/train/00001.png"], None, 422),
        ("label", [], "Bag", 422),
        ("nope", ["pictures/train/00001.png"], "Bag", 422),
    ],
)
def test_a_bad_edit_changes_nothing(client, repository, verb, ids, label, status):
    request = {"client_id": "1", "verb": verb, "ids": ids, "label": label}
    answer = client.post("/api/edits", json=request)
    assert answer.status_code == status
    assert set(answer.json()) == {"kind", "message", "hint"}
    assert repository.status().clean


def test_a_bad_row_among_good_ones_changes_none_of_them(client, repository):
    good = worst(client)[0]["id"]
    request = {"client_id": "1", "verb": "label", "ids": [good, "nope"], "label": "Bag"}
    assert client.post("/api/edits", json=request).status_code == 404
    assert repository.status().clean


def test_undo_and_redo_go_to_either_end_and_survive_a_restart(client, repository):
    before = [item["given"] for item in worst(client, 5)]
    for number, item in enumerate(worst(client, 5)):
        send(client, str(number), "label", [item["id"]], "Bag")
    for number in range(3):
        take_back(client, f"back {number}")
    app = create_app(sw2.open(repository.root), "Ann", "t")
    headers = {"authorization": "Bearer t"}
    with TestClient(app, base_url="http://127.0.0.1:8765", headers=headers) as again:
        assert again.get("/api/session").json()["can_redo"]
        for number in range(3):
            take_back(again, f"forth {number}", "redo")
        assert take_back(again, "end", "redo")["ids"] == []
        assert {item["given"] for item in worst(again, 5)} == {"Bag"}
        for number in range(5):
            take_back(again, f"start {number}")
        assert take_back(again, "nothing left")["label"] == ""
        assert [item["given"] for item in worst(again, 5)] == before


def test_edits_from_elsewhere_show(client, repository):
    key = worst(client)[0]["id"]
    other = sw2.open(repository.root)
    other.edit([Edit(key, "label", "Bag")], Origin("Bob"), "from the terminal")
    assert worst(client)[0]["given"] == "Bag"
    assert client.get("/api/session").json()["undo_label"] == "from the terminal"


def test_a_commit_takes_what_is_pending_and_tells_what_it_was(client, repository):
    one, two = worst(client, 2)
    send(client, "1", "accept", [one["id"]])
    send(client, "2", "keep", [two["id"]])
    pending = client.get("/api/pending").json()
    assert pending["by_pair"] == [[one["given"], one["proposed"], 1]]
    assert (pending["rows"], pending["reviewed"]) == (2, 1)
    commit = client.post("/api/commit", json={"message": "Fix one"}).json()
    assert (commit["message"], commit["author"], commit["edits"]) == ("Fix one", "Ann", 2)
    assert client.get("/api/pending").json()["total"] == 0
    assert client.get(f"/api/commits/{commit['id']}").json() == pending
    assert [c["message"] for c in client.get("/api/log").json()] == ["Fix one", "Import"]
    assert fsck(repository) == []


def test_a_commit_needs_something_to_commit_and_a_message(client):
    assert client.post("/api/commit", json={"message": "x"}).json()["kind"] == "invalid-input"
    send(client, "1", "keep", [worst(client)[0]["id"]])
    assert client.post("/api/commit", json={"message": "  "}).status_code == 422
    assert client.get("/api/session").json()["pending"] == 1
