import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import { decideOn } from "../decide";

export const keep: Action = {
  name: "label.keep",
  group: "label",
  title: () => t("action.label.keep"),
  keys: ["x"],
  menu: true,
  perform: (app) => decideOn(app, { verb: "keep" }),
};
