import { Refused } from "@/api/client";
import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import type { App } from "@/state/app";

/** Looking and labelling go on while it runs; the panel below shows how far it is. */
export async function startBuild(app: App): Promise<void> {
  app.prefs.set((now) => ({ ...now, panel: true, panelTab: "build" }));
  try {
    const build = await app.client.startBuild();
    app.query.setQueryData(["report", build.id], undefined);
    await Promise.all(["builds", "session", "report"].map((name) => app.query.invalidateQueries({ queryKey: [name] })));
    app.say(build.cached ? t("build.unchanged") : t("build.started"));
  } catch (error) {
    const hint = error instanceof Refused ? error.hint : t("error.goneHint");
    app.say([error instanceof Refused ? error.message : t("error.gone"), hint].filter(Boolean).join(". "), "wrong");
  }
}

export const build: Action = {
  name: "build.start", group: "build", title: () => t("action.build.start"), keys: ["Mod+b"],
  enabled: (app) => Boolean(app.session()?.rows) && !app.session()?.building,
  perform: (app) => void startBuild(app),
};
