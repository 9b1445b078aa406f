/** Every action there is. Keys, palette, context menu and the sheet of keys all read this and nothing else. */
import type { Label } from "@/api/types";
import { buildActions } from "@/features/build";
import { exploreActions } from "@/features/explore";
import { labelActions } from "@/features/label";
import { pendingActions } from "@/features/pending";
import type { Action } from "@/state/actions";
import { help } from "./actions/help";
import { look } from "./actions/look";
import { panes } from "./actions/panes";
import { views } from "./actions/views";

export function allActions(labels: readonly Label[]): Action[] {
  return [
    ...labelActions(labels), ...exploreActions, ...pendingActions, ...buildActions, ...views, ...panes, ...look, ...help,
  ];
}
