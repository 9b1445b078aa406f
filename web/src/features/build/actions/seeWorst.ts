import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import { NO_SELECTION } from "@/state/selection";

/** Ends the wait for the new order, at its top. */
export const seeWorst: Action = {
  name: "build.seeWorst", group: "build", title: () => t("build.seeWorst"), keys: ["w"],
  enabled: (app) => Boolean(app.session()?.program),
  perform: (app) => {
    app.stale.set(false);
    app.query.removeQueries({ queryKey: ["examples"], type: "inactive" });
    app.selection.set(NO_SELECTION);
    app.go({ view: "explore", order: "worst", big: false });
    void app.query.invalidateQueries({ queryKey: ["examples"] }).then(() => app.list.get()?.scrollTo(0));
  },
};
