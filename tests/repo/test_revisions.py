"""Revisions are spelt as git spells them."""

from datetime import datetime

import pytest
from model_repository import ANNE, a_repository

from sw2.errors import InvalidInput, NotFound
from sw2.repo import Edit, branches, delete_tag, reflog, rename_branch, tags, when

DAY = 86_400_000


@pytest.fixture
def repository(tmp_path):
    """main: import, one, two; side forks from one; then side is merged into main."""
    repository = a_repository(tmp_path)
    commits = {"import": repository.commit_of("HEAD")}

    def made(word, key):
        repository.edit([Edit(key, "score", len(commits) / 2)], ANNE, word)
        commits[word] = repository.commit(word, "anne")

    made("one", "a")
    repository.create_branch("side")
    made("two", "a")
    repository.switch("side")
    made("aside", "b")
    repository.switch("main")
    commits["merge"] = repository.merge("side", "anne").commit
    repository.tag("v1", "HEAD~1")
    repository.commits = commits
    return repository


REVISIONS = {
    "HEAD": "merge",
    "@": "merge",
    "main": "merge",
    "side": "aside",
    "v1": "two",
    "v1~1": "one",
    "HEAD^": "two",
    "HEAD^1": "two",
    "HEAD^2": "aside",
    "HEAD^2^": "one",
    "HEAD^0": "merge",
    "HEAD~": "two",
    "HEAD~2": "one",
    "@~3": "import",
    "main^2~1": "one",
    "main@{0}": "merge",
    "main@{1}": "two",
    "main@{3}": "import",
    "@{0}": "merge",
    "@{1}": "two",
    "HEAD@{2}": "aside",
    "main@{now}": "merge",
    "main@{0}~1": "two",
    "-": "aside",
}


@pytest.mark.parametrize("rev", REVISIONS)
def test_a_revision_names_the_commit_that_git_would_name(repository, rev):
    assert repository.commit_of(rev).message.split()[0].lower() == REVISIONS[rev]


def test_the_beginning_of_any_commit_names_it(repository):
    for commit in repository.commits.values():
        assert repository.commit_of(commit.name[:12]) == commit


def test_a_commit_that_was_reset_away_is_still_found(repository):
    merged = repository.commit_of("HEAD")
    repository.reset("HEAD~2", hard=True)
    assert repository.commit_of("HEAD").message == "one"
    assert repository.commit_of("HEAD@{1}") == merged
    assert repository.commit_of(merged.short) == merged


def test_a_point_in_time_names_where_the_branch_was_then(repository, monkeypatch):
    monkeypatch.setattr(
        "sw2.repo.revisions.now_ms", lambda: repository.commits["merge"].at + 2 * DAY
    )
    assert repository.commit_of("main@{yesterday}").message.startswith("Merge")
    with pytest.raises(NotFound, match="begins after 3 days ago"):
        repository.commit_of("main@{3 days ago}")


@pytest.mark.parametrize(
    ("rev", "kind", "words"),
    [
        ("HEAD^3", NotFound, "has 2 parents"),
        ("HEAD~9", NotFound, "before the first"),
        ("main@{99}", NotFound, "moved only"),
        ("HEAD~1@{1}", InvalidInput, "goes after a branch"),
        ("HEAD^^^x", InvalidInput, "from `x` on"),
        ("main@{soon}", InvalidInput, "no point in time"),
        ("nothing@{0}", NotFound, "no record of `nothing`"),
        ("v2", NotFound, "no revision `v2`"),
    ],
)
def test_a_revision_that_is_none_is_told_with_what_is_wrong(repository, rev, kind, words):
    with pytest.raises(kind, match=words.replace("`", "`")):
        repository.commit_of(rev)


NOW = 1_800_000_000_000
TIMES = {
    "now": 0,
    "yesterday": DAY,
    "2 days ago": 2 * DAY,
    "2.days.ago": 2 * DAY,
    "an hour ago": 3_600_000,
    "3 weeks": 21 * DAY,
    "last month": 30 * DAY,
}


@pytest.mark.parametrize("words", TIMES)
def test_points_in_time_may_be_said_in_words(words):
    assert when(words, NOW) == NOW - TIMES[words]


@pytest.mark.parametrize("text", ["2026-11-20", "2026-11-20 13:45", "2026-11-20T13:45:10+02:00"])
def test_points_in_time_may_be_dates(text):
    assert when(text) == int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    "name", ["", "HEAD", "a b", "-x", "x..y", "x~1", "tags/x", "a@b", "x.lock"]
)
def test_what_cannot_name_a_branch_is_refused(repository, name):
    with pytest.raises(InvalidInput, match="cannot name a branch"):
        repository.create_branch(name)
    assert list(branches(repository)) == ["main", "side"]


def test_branches_are_made_renamed_and_deleted(repository):
    with pytest.raises(InvalidInput, match="already"):
        repository.create_branch("side")
    rename_branch(repository, "main", "trunk")
    assert repository.branch == "trunk"
    assert branches(repository) == {
        "side": repository.commits["aside"].name,
        "trunk": repository.commits["merge"].name,
    }
    repository.delete_branch("side")  # merged, so nothing is lost
    assert list(branches(repository)) == ["trunk"]


def test_a_branch_with_commits_of_its_own_is_not_deleted_by_the_way(repository):
    repository.switch("side")
    repository.edit([Edit("c", "score", 9.0)], ANNE, "more")
    more = repository.commit("more", "anne")
    repository.switch("main")
    with pytest.raises(Exception, match="has commits that `main` lacks"):
        repository.delete_branch("side")
    repository.delete_branch("side", force=True)
    assert repository.commit_of(more.short) == more


def test_tags_stay_where_they_were_put(repository):
    assert tags(repository) == {"v1": repository.commits["two"].name}
    with pytest.raises(InvalidInput, match="tag `v1` already"):
        repository.tag("v1")
    delete_tag(repository, "v1")
    assert tags(repository) == {}
    with pytest.raises(NotFound, match="no tag `v1`"):
        delete_tag(repository, "v1")


def test_the_record_of_head_follows_the_branch_that_was_checked_out(repository):
    told = [move.why.split(":")[0] for move in reflog(repository)]
    assert told == ["merge", "switch", "commit", "switch", "commit", "commit", "commit"]
    assert [move.ref for move in reflog(repository, "side")] == ["side", "side"]


LOGS = {
    "HEAD": ["merge", "aside", "two", "one", "import"],
    "v1..HEAD": ["merge", "aside"],
    "side..main": ["merge", "two"],
    "main..side": [],
    "..side": [],
}


@pytest.mark.parametrize("rev", LOGS)
def test_a_log_tells_what_one_revision_has_and_another_lacks(repository, rev):
    assert [c.message.split()[0].lower() for c in repository.log(rev=rev)] == LOGS[rev]


def test_a_log_may_be_told_in_part(repository, tmp_path):
    def told(**only):
        return [c.message.split()[0].lower() for c in repository.log(**only)]

    assert told(first_parent=True) == ["merge", "two", "one", "import"]
    assert told(author="nobody") == []
    assert told(author="ANN", limit=2) == ["merge", "aside"]
    assert told(table="votes") == []
    assert told(since=repository.commits["merge"].at) == ["merge"]
    assert told(until=repository.commits["import"].at) == ["import"]
    (tmp_path / "README.md").write_text("hello")
    repository.commit("readme", "bob")
    assert told(path="README.md") == ["readme"]
    assert told(table="examples") == LOGS["HEAD"]
