import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import type { App } from "@/state/app";
import { stepSize } from "@/state/view";

export function setSize(app: App, size: number): void {
  app.go({ size }, "replace");
  app.prefs.set((now) => ({ ...now, size }));
}

export const larger: Action = {
  name: "view.larger", group: "view", title: () => t("action.view.larger"), keys: ["+", "="],
  perform: (app) => setSize(app, stepSize(app.view.get().size, 1)),
};

export const smaller: Action = {
  name: "view.smaller", group: "view", title: () => t("action.view.smaller"), keys: ["-"],
  perform: (app) => setSize(app, stepSize(app.view.get().size, -1)),
};
