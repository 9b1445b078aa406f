import type { Action } from "@/state/actions";
import { big } from "./big";
import { escape } from "./escape";
import { clearFilters, focusFilter, showDoubts, showEdited } from "./filter";
import { moves } from "./move";
import { orders } from "./order";
import { refresh } from "./refresh";
import { selectAll } from "./selectAll";
import { larger, smaller } from "./size";

export const exploreActions: Action[] = [
  ...moves, selectAll, escape, focusFilter, clearFilters, showDoubts, showEdited, ...orders, big, larger, smaller, refresh,
];
