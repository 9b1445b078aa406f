import { t } from "@/i18n";
import type { Label } from "@/api/types";
import type { Action } from "@/state/actions";
import { decideOn } from "../decide";

/** One action for each label; the first ten have a digit. */
export function setLabel(label: Label): Action {
  return {
    name: `label.set.${label.name}`,
    group: "label",
    title: () => t("action.label.set", { label: label.name }),
    keys: label.key ? [label.key] : [],
    perform: (app) => decideOn(app, { verb: "label", label: label.name }),
  };
}
