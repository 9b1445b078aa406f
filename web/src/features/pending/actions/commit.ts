import { Refused } from "@/api/client";
import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import type { App } from "@/state/app";

/** True when the edits are in a commit. Edits still on their way are waited for: they are part of what was meant. */
export async function commitEdits(app: App, message: string): Promise<boolean> {
  if (app.queue.store.get().waiting.length) {
    app.say(t("pending.stillSaving"));
    return false;
  }
  try {
    const commit = await app.client.commit(message);
    await Promise.all(["session", "pending", "log"].map((name) => app.query.invalidateQueries({ queryKey: [name] })));
    for (const name of ["examples", "facets", "detail", "problems"]) void app.query.invalidateQueries({ queryKey: [name] });
    app.say(t("pending.committed", { count: commit.edits, message: commit.message.split("\n")[0] ?? "" }), "good");
    return true;
  } catch (error) {
    const hint = error instanceof Refused ? error.hint : t("error.goneHint");
    app.say([error instanceof Refused ? error.message : t("error.gone"), hint].filter(Boolean).join(". "), "wrong");
    return false;
  }
}

/** Opens the message box rather than committing at once: a commit has words. */
export const commit: Action = {
  name: "pending.commit", group: "build", title: () => t("action.pending.commit"), keys: ["c"],
  enabled: (app) => Boolean(app.session()?.pending),
  perform: (app) => {
    app.go({ view: "pending", big: false });
    requestAnimationFrame(() => document.getElementById("commit-message")?.focus());
  },
};
