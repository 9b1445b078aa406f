"""Rows for training: every row once, in an order that a seed fixes."""

import json
import pickle
from functools import partial

import numpy as np
import pytest
from shelves import ANN
from torch.utils.data import DataLoader

import sw2
from sw2.errors import InvalidInput
from sw2.repo import Edit


@pytest.fixture
def examples(repository):
    with sw2.open(repository.root, rev="HEAD~1") as reading:
        yield reading["examples"]


def ids(rows):
    return [row["id"] for row in rows]


def loaded(rows, workers=0, **settings):
    """Ids by batch, as a DataLoader gives them."""
    take = partial(list)
    loader = DataLoader(rows, rows.batch_rows, num_workers=workers, collate_fn=take, **settings)
    return [ids(batch) for batch in loader]


def test_without_shuffling_rows_come_in_key_order(examples):
    assert ids(examples.torch()) == [f"e{n}" for n in range(10)]


def test_a_seed_and_an_epoch_fix_the_order(examples):
    rows = examples.torch(["id"], shuffle=True, seed=7)
    first = ids(rows)
    assert sorted(first) == sorted(ids(examples.torch()))
    assert first != sorted(first)
    assert ids(examples.torch(["id"], shuffle=True, seed=7)) == first
    rows.set_epoch(1)
    assert sorted(ids(rows)) == sorted(first)
    assert ids(rows) != first
    assert ids(examples.torch(["id"], shuffle=True, seed=8)) != first


def test_a_shuffle_mixes_rows_of_several_segments(examples):
    order = ids(examples.torch(["id"], shuffle=True, seed=1))
    assert len({int(id[1:]) // 4 for id in order[:5]}) > 1


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_workers_gives_the_same_batches(examples, workers):
    rows = examples.torch(["id"], shuffle=True, seed=3, batch_rows=2)
    assert loaded(rows, workers) == loaded(rows)


@pytest.mark.parametrize("world", [2, 3])
def test_ranks_share_the_rows_without_loss_or_repeats(examples, world):
    parts = [
        ids(examples.torch(shuffle=True, batch_rows=2, rank=r, world=world)) for r in range(world)
    ]
    together = [id for part in parts for id in part]
    assert sorted(together) == [f"e{n}" for n in range(10)]
    assert max(map(len, parts)) - min(map(len, parts)) <= 2


@pytest.mark.parametrize("seen", [0, 1, 3, 4, 10])
@pytest.mark.parametrize("workers", [0, 2])
def test_training_goes_on_after_the_rows_it_has_seen(examples, seen, workers):
    whole = ids(examples.torch(shuffle=True, seed=5, epoch=2, batch_rows=2))
    saved = json.loads(
        json.dumps(examples.torch(shuffle=True, seed=5, epoch=2, batch_rows=2).state(seen))
    )
    rows = examples.torch(shuffle=True, seed=5, batch_rows=2)
    rows.load_state(saved)
    assert [id for batch in loaded(rows, workers) for id in batch] == whole[seen:]


def test_a_state_of_another_order_is_refused(examples):
    state = examples.torch(seed=1).state(4)
    with pytest.raises(InvalidInput, match="seed 1, not 2"):
        examples.torch(seed=2).load_state(state)


def test_conditions_and_keys_hold(examples):
    assert ids(examples.where("label = 'Bag'").torch()) == ["e2", "e5", "e8"]
    assert ids(examples.take(["e9", "e1"]).torch(["id"])) == ["e9", "e1"]


def test_cells_are_python_and_numpy_values(examples):
    row = next(iter(examples.torch()))
    assert (row["label"], row["confidence"], row["at"]) == ("Coat", 0.0, 0)
    assert row["vector"].dtype == np.float32
    assert row["vector"].tolist() == [0.0, 0.5]
    assert len(row["image"]) == 64


def test_pictures_come_as_bytes_or_pixels(examples):
    raw = list(examples.torch(media="bytes"))
    own = list(examples.torch(media="pixels"))
    fitted = list(examples.torch(media="pixels", shape=(4, 4, 1)))
    assert raw[2]["image"].startswith(b"\x89PNG")
    assert (own[2]["image"].shape, own[2]["image"].dtype) == ((2, 3, 3), np.uint8)
    assert (fitted[2]["image"] == 40).all()
    assert fitted[2]["image"].shape == (4, 4, 1)


@pytest.mark.slow
def test_rows_can_be_sent_to_a_spawned_worker(examples):
    rows = examples.where("confidence < 0.7").torch(shuffle=True, batch_rows=3)
    assert ids(pickle.loads(pickle.dumps(rows))) == ids(rows)
    assert loaded(rows, 2, multiprocessing_context="spawn") == loaded(rows)


def test_edits_that_come_meanwhile_change_nothing(repository):
    rows = sw2.Reading(repository)["examples"].torch(shuffle=True, batch_rows=2)
    before = ids(rows)
    repository.delete_rows(["e0"], ANN, "gone")
    assert ids(rows) == before
    with pytest.raises(InvalidInput, match="staged changes"):
        sw2.Reading(repository)["examples"].torch()
    repository.undo()
    repository.edit([Edit("e1", "label", "Bag")], ANN, "edited")
    repository.commit("More", "Ann")
    assert ids(rows) == before


def test_a_rank_that_is_none_is_refused(examples):
    with pytest.raises(InvalidInput, match="rank 2 of 2"):
        examples.torch(rank=2, world=2)
