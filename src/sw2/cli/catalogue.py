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
    "Tables": {
        "tables": Entry("tables", "tables", "List the tables, with rows and columns."),
        "schema": Entry("tables", "schema", "Show or change the columns of a table."),
    },
    "History": {
        "diff": Entry("history", "diff", "Show what is staged, or what differs between commits."),
        "commit": Entry("history", "commit", "Record what is staged, with a message."),
        "log": Entry("history", "log", "List commits, newest first."),
        "show": Entry("history", "show", "Show one commit and what it changed."),
        "blame": Entry("examples", "blame", "Tell who decided each cell of an example."),
        "history": Entry("examples", "history", "List every change of an example."),
        "undo": Entry("stage", "undo", "Take the newest staged action back."),
        "redo": Entry("stage", "redo", "Carry the last undone action out again."),
    },
    "Programs": {
        "build": Entry("building", "build", "Build the last commit into a program."),
        "builds": Entry("building", "builds", "List builds, newest first."),
        "run": Entry("programs", "run", "Run a program on pictures."),
        "inspect": Entry("programs", "inspect", "Tell what a program is, costs and scores."),
    },
    "Care": {
        "fsck": Entry("checks", "fsck", "Check every byte and link of the repository."),
    },
}

COMMANDS: dict[str, Entry] = {
    name: entry for section in SECTIONS.values() for name, entry in section.items()
}
