import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import { clear } from "@/state/selection";

/** One step back: the question, then the selection, then the big picture. */
export const escape: Action = {
  name: "select.none",
  group: "select",
  title: () => t("action.select.none"),
  keys: ["Escape"],
  perform: (app) => {
    if (app.message.get()?.tone === "ask") return app.message.set(null);
    if (app.selection.get().selected.size) return app.selection.set(clear(app.selection.get()));
    if (app.view.get().big) app.go({ big: false });
  },
};
