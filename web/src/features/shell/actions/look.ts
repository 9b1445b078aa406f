import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import type { App } from "@/state/app";
import type { Theme } from "@/state/prefs";

const AFTER: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };

export function nextTheme(app: App): void {
  app.prefs.set((now) => ({ ...now, theme: AFTER[now.theme] }));
  app.say(t(`theme.${app.prefs.get().theme}`));
}

export function otherLanguage(app: App): void {
  app.prefs.set((now) => ({ ...now, language: now.language === "en" ? "zh" : "en" }));
}

export const look: Action[] = [
  { name: "look.theme", group: "view", title: () => t("action.look.theme"), keys: [], perform: nextTheme },
  { name: "look.language", group: "view", title: () => t("action.look.language"), keys: [], perform: otherLanguage },
];
