import { idsQuery } from "@/api/queries";
import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import { selectAll as select } from "@/state/selection";
import { int } from "@/ui/format";

/** All that the filters leave, not only what is on the screen. */
export const selectAll: Action = {
  name: "select.all",
  group: "select",
  title: () => t("action.select.all"),
  keys: ["Mod+a"],
  perform: (app) => {
    const { filters, order } = app.view.get();
    void app.query.fetchQuery(idsQuery(app.client, filters, order)).then((ids) => {
      app.selection.set(select(app.selection.get(), ids));
      app.say(t("say.selected", { count: ids.length, number: int(ids.length) }));
    });
  },
};
