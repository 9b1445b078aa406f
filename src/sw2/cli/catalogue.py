"""Every command: where it is written and what it says of itself in one line.

The lines stand here so that `sw2 --help` imports no command; a test compares them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """module: below `sw2.cli`.  function: its name there.  line: of `sw2 --help`."""

    module: str
    function: str
    line: str


SECTIONS: dict[str, dict[str, Entry]] = {
    "Start": {
        "demo": Entry("start", "demo", "Open the IDE on pictures with wrong labels planted."),
        "init": Entry("start", "init", "Make an empty repository."),
        "ide": Entry("serving", "ide", "Open the IDE: look, label, commit, build in a browser."),
    },
    "Data": {
        "add": Entry("data", "add", "Add a folder of pictures, with or without labels."),
        "label": Entry("data", "label", "Set the label of examples."),
        "status": Entry("data", "status", "Tell what is staged and what is built."),
        "lint": Entry("checks", "lint", "List what is suspect about the data, worst first."),
    },
    "Annotators": {
        "vote": Entry("votes", "vote", "Vote for a label of examples."),
        "votes": Entry("votes", "votes", "List votes, or the examples that need another one."),
        "agreement": Entry("votes", "agreement", "Tell how far annotators agree beyond chance."),
        "consensus": Entry("votes", "consensus", "Say how votes decide labels, and recount them."),
    },
    "Tables": {
        "tables": Entry("tables", "tables", "List the tables, with rows and columns."),
        "schema": Entry("tables", "schema", "Show or change the columns of a table."),
        "query": Entry("rows", "query", "Ask the tables in SQL, at any commit."),
        "import": Entry("rows", "import_", "Bring the rows of a file into a table."),
        "export": Entry("rows", "export", "Write rows of a table to a file."),
        "rm": Entry("rows", "rm", "Delete rows from a table."),
    },
    "History": {
        "diff": Entry("history", "diff", "Show what is staged, or what differs between commits."),
        "commit": Entry("history", "commit", "Record what is staged, with a message."),
        "log": Entry("history", "log", "List commits, newest first."),
        "show": Entry("history", "show", "Show one commit and what it changed, in each table."),
        "blame": Entry(
            "examples", "blame", "Tell who decided each cell of an example, or of a column."
        ),
        "history": Entry("examples", "history", "List every change of an example."),
        "verify": Entry("signing", "verify", "Check the signature of a commit."),
        "undo": Entry("stage", "undo", "Take the newest staged action back."),
        "redo": Entry("stage", "redo", "Carry the last undone action out again."),
        "restore": Entry("stage", "restore", "Make examples what they were at a revision."),
        "stash": Entry("stage", "stash", "Put staged edits aside, and take them back."),
    },
    "Branches": {
        "branch": Entry("branches", "branch", "List, make, rename, delete or protect branches."),
        "switch": Entry("branches", "switch", "Check another branch out."),
        "tag": Entry("branches", "tag", "List tags, or name a commit for good."),
        "merge": Entry("merging", "merge", "Bring another branch into this one, cell by cell."),
        "conflicts": Entry("merging", "conflicts", "List the conflicts that wait for a decision."),
        "settle": Entry("merging", "settle", "Decide conflicts."),
        "revert": Entry("merging", "revert", "Take a commit back, by a commit."),
        "cherry-pick": Entry("merging", "cherry_pick", "Take one commit over to this branch."),
        "reset": Entry("branches", "reset", "Move the branch to another commit."),
        "reflog": Entry("branches", "reflog", "List where a branch pointed, newest first."),
    },
    "Programs": {
        "build": Entry("building", "build", "Build the last commit into a program."),
        "builds": Entry("building", "builds", "List builds, newest first."),
        "run": Entry("programs", "run", "Run a program on pictures."),
        "inspect": Entry("programs", "inspect", "Tell what a program is, costs and scores."),
    },
    "Care": {
        "doctor": Entry(
            "care", "doctor", "Examine this installation, and the repository if there is one."
        ),
        "fold": Entry("care", "fold", "Make old commits as quick to read as new ones."),
        "fsck": Entry("checks", "fsck", "Check every byte and link of the repository."),
        "gc": Entry("care", "gc", "Remove what no branch, tag, stage or build needs any more."),
    },
}

COMMANDS: dict[str, Entry] = {
    name: entry for section in SECTIONS.values() for name, entry in section.items()
}
