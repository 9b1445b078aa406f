import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import { moveOn } from "../decide";

/** Decides nothing: the example stays as it is, and stays a doubt. */
export const later: Action = {
  name: "label.later",
  group: "label",
  title: () => t("action.label.later"),
  keys: ["Space"],
  menu: true,
  perform: (app) => {
    app.say(t("say.later"));
    moveOn(app);
  },
};
