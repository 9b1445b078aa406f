"""Commits, the stage with its undo, history, and the check of a whole repository."""

from sw2.repo.branching import delete_tag, protect, rename_branch
from sw2.repo.changes import CellChange, Changes, Edit
from sw2.repo.commits import Commit
from sw2.repo.conflicts import count_open, open_conflicts
from sw2.repo.folding import BackgroundFolding, FoldReport, due, fold, fold_in_background
from sw2.repo.fsck import Fault, fsck
from sw2.repo.gc import GcReport, gc
from sw2.repo.replay import MergeReport, drop_stash, protected, stashes
from sw2.repo.repository import Repository
from sw2.repo.revisions import branches, reflog, tags, when
from sw2.repo.stage import Staged
from sw2.repo.state import Action
from sw2.repo.view import CONFLICTS, EXAMPLES, Status, View

__all__ = [
    "CONFLICTS",
    "EXAMPLES",
    "Action",
    "BackgroundFolding",
    "CellChange",
    "Changes",
    "Commit",
    "Edit",
    "Fault",
    "FoldReport",
    "GcReport",
    "MergeReport",
    "Repository",
    "Staged",
    "Status",
    "View",
    "branches",
    "count_open",
    "delete_tag",
    "drop_stash",
    "due",
    "fold",
    "fold_in_background",
    "fsck",
    "gc",
    "open_conflicts",
    "protect",
    "protected",
    "reflog",
    "rename_branch",
    "stashes",
    "tags",
    "when",
]
