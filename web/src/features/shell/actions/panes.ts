import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import type { App } from "@/state/app";
import { PANELS, type PanelName } from "@/state/prefs";

export function openPanel(app: App, panelTab: PanelName): void {
  app.prefs.set((now) => ({ ...now, panel: true, panelTab }));
}

const toggles = [["side", "b"], ["inspector", "i"], ["panel", "j"]] as const;

export const panes: Action[] = [
  ...toggles.map(([pane, key]): Action => ({
    name: `view.toggle.${pane}`, group: "view", title: () => t(`action.toggle.${pane}`), keys: [key],
    perform: (app) => app.prefs.set((now) => ({ ...now, [pane]: !now[pane] })),
  })),
  ...PANELS.map((panel): Action => ({
    name: `view.panel.${panel}`, group: "view", title: () => t("action.panel", { panel: t(`panel.${panel}`) }), keys: [],
    perform: (app) => openPanel(app, panel),
  })),
];
