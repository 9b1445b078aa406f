import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import { decideOn } from "../decide";

export const accept: Action = {
  name: "label.accept",
  group: "label",
  title: () => t("action.label.accept"),
  keys: ["Enter"],
  menu: true,
  enabled: (app) => Boolean(app.session()?.program),
  perform: (app) => decideOn(app, { verb: "accept" }),
};
