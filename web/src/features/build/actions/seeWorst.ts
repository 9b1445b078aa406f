import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import { fromTheTop } from "@/state/server";
import { NO_FILTERS } from "@/state/view";

/** Ends the wait for the new order, at its top. */
export const seeWorst: Action = {
  name: "build.seeWorst", group: "build", title: () => t("build.seeWorst"), keys: ["w"],
  enabled: (app) => Boolean(app.session()?.program),
  perform: (app) => {
    app.go({ view: "explore", order: "worst", filters: NO_FILTERS, big: false });
    void fromTheTop(app);
  },
};
