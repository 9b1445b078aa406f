import { t } from "@/i18n";
import type { Action } from "@/state/actions";

export const refresh: Action = {
  name: "view.refresh", group: "view", title: () => t("action.view.refresh"), keys: ["r"],
  perform: (app) => {
    app.stale.set(false);
    for (const name of ["examples", "facets", "problems", "detail"]) void app.query.invalidateQueries({ queryKey: [name] });
    app.say(t("say.refreshed"));
  },
};
