import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import { newId } from "@/state/app";

export const redo: Action = {
  name: "label.redo",
  group: "label",
  title: () => t("action.label.redo"),
  keys: ["Shift+z", "Mod+Shift+z", "Mod+y"],
  menu: true,
  perform: (app) => app.queue.push({ kind: "redo", request: { client_id: newId() }, tried: false }),
};
