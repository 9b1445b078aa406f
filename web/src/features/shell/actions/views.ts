import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import { VIEWS } from "@/state/view";

/** In the order of the activity bar: Alt+1 is the first. */
export const views: Action[] = VIEWS.map((view, place) => ({
  name: `view.${view}`,
  group: "view",
  title: () => t("action.view.open", { view: t(`view.${view}`) }),
  keys: [`Alt+${place + 1}`],
  perform: (app) => app.go({ view, big: false }),
}));
