"""Commits, the stage with its undo, history, and the check of a whole repository."""

from sw2.repo.changes import CellChange, Changes, Edit
from sw2.repo.commits import Commit
from sw2.repo.fsck import Fault, fsck
from sw2.repo.repository import Repository
from sw2.repo.stage import Staged
from sw2.repo.state import Action
from sw2.repo.view import EXAMPLES, Status, View

__all__ = [
    "EXAMPLES",
    "Action",
    "CellChange",
    "Changes",
    "Commit",
    "Edit",
    "Fault",
    "Repository",
    "Staged",
    "Status",
    "View",
    "fsck",
]
