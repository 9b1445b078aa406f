import { t } from "@/i18n";
import type { Action } from "@/state/actions";

export const help: Action[] = [
  {
    name: "help.palette", group: "help", title: () => t("action.help.palette"), keys: ["Mod+k", "Mod+Shift+p"], always: true,
    perform: (app) => app.ui.set((now) => ({ ...now, palette: true, keys: false })),
  },
  {
    name: "help.keys", group: "help", title: () => t("action.help.keys"), keys: ["?"],
    perform: (app) => app.ui.set((now) => ({ ...now, keys: true, palette: false })),
  },
];
