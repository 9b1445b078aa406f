import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import { newId } from "@/state/app";
import { again, mend, showAgain } from "@/state/server";

/** An edit that has not left the page is simply taken back; any other is undone by the server, in its turn. */
export const undo: Action = {
  name: "label.undo",
  group: "label",
  title: () => t("action.label.undo"),
  keys: ["z", "Mod+z"],
  menu: true,
  perform: (app) => {
    const entry = app.queue.takeBack();
    if (entry?.kind !== "edit") {
      app.queue.push({ kind: "undo", request: { client_id: newId() }, tried: false });
      return;
    }
    mend(app, entry.before);
    app.say(again("undo", entry.before, entry.request.ids.length));
    const [first] = entry.request.ids;
    if (first) showAgain(app, first);
  },
};
