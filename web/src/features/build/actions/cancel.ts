import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import type { App } from "@/state/app";

export async function cancelBuild(app: App, id: string): Promise<void> {
  try {
    await app.client.cancelBuild(id);
    app.say(t("build.cancelled"));
  } catch (error) {
    app.say(error instanceof Error ? error.message : String(error), "wrong");
  }
  for (const name of ["builds", "session", "report"]) void app.query.invalidateQueries({ queryKey: [name] });
}

export const cancel: Action = {
  name: "build.cancel", group: "build", title: () => t("action.build.cancel"), keys: [],
  enabled: (app) => Boolean(app.session()?.building),
  perform: (app) => {
    const id = app.session()?.building;
    if (id) void cancelBuild(app, id);
  },
};
