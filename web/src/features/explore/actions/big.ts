import { t } from "@/i18n";
import type { Action } from "@/state/actions";

export const big: Action = {
  name: "view.big",
  group: "view",
  title: () => t("action.view.big"),
  keys: ["o"],
  menu: true,
  perform: (app) => {
    const now = app.view.get();
    if (app.selection.get().current) app.go({ view: "explore", big: now.view !== "explore" || !now.big });
  },
};
