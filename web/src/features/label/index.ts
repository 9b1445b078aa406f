import type { Label } from "@/api/types";
import type { Action } from "@/state/actions";
import { accept } from "./actions/accept";
import { keep } from "./actions/keep";
import { later } from "./actions/later";
import { redo } from "./actions/redo";
import { setLabel } from "./actions/setLabel";
import { undo } from "./actions/undo";

export function labelActions(labels: readonly Label[]): Action[] {
  return [accept, keep, later, undo, redo, ...labels.map(setLabel)];
}
