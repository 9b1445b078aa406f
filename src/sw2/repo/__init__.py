"""Commits, the stage with its undo, history, and the check of a whole repository.

Names are looked up when they are first used: `sw2 log` needs no tables, and so no Arrow."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sw2.repo.branching import delete_tag, protect, rename_branch
    from sw2.repo.changes import CellChange, Changes, Edit
    from sw2.repo.commits import Commit
    from sw2.repo.conflicts import count_open, open_conflicts
    from sw2.repo.folding import BackgroundFolding, FoldReport, due, fold, fold_in_background
    from sw2.repo.fsck import Fault, fsck
    from sw2.repo.gc import GcReport, gc
    from sw2.repo.ledger import CONFLICTS, EXAMPLES, Ledger, Status
    from sw2.repo.replay import MergeReport, drop_stash, protected, stashes
    from sw2.repo.repository import Repository
    from sw2.repo.revisions import branches, reflog, tags, when
    from sw2.repo.stage import Staged
    from sw2.repo.state import Action
    from sw2.repo.view import View

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
    "Ledger",
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

_MODULES = {
    "sw2.repo.branching": ("delete_tag", "protect", "rename_branch"),
    "sw2.repo.changes": ("CellChange", "Changes", "Edit"),
    "sw2.repo.commits": ("Commit",),
    "sw2.repo.conflicts": ("count_open", "open_conflicts"),
    "sw2.repo.folding": ("BackgroundFolding", "FoldReport", "due", "fold", "fold_in_background"),
    "sw2.repo.fsck": ("Fault", "fsck"),
    "sw2.repo.gc": ("GcReport", "gc"),
    "sw2.repo.ledger": ("CONFLICTS", "EXAMPLES", "Ledger", "Status"),
    "sw2.repo.replay": ("MergeReport", "drop_stash", "protected", "stashes"),
    "sw2.repo.repository": ("Repository",),
    "sw2.repo.revisions": ("branches", "reflog", "tags", "when"),
    "sw2.repo.stage": ("Staged",),
    "sw2.repo.state": ("Action",),
    "sw2.repo.view": ("View",),
}
_PLACES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module `sw2.repo` has no attribute `{name}`")
    found = globals()[name] = getattr(import_module(_PLACES[name]), name)
    return found
