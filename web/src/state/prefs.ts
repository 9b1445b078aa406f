/** What belongs to this person at this browser, kept in localStorage. */
import { createStore } from "./store";

export type Language = "en" | "zh";
export type Theme = "auto" | "light" | "dark";
export const PANELS = ["problems", "build", "output"] as const;
export type PanelName = (typeof PANELS)[number];

export interface Prefs {
  language: Language;
  theme: Theme;
  size: number;
  side: boolean;
  inspector: boolean;
  panel: boolean;
  panelTab: PanelName;
  panelHeight: number;
  /** Facets whose values are folded away. */
  folded: readonly string[];
}

const KEY = "sw2.prefs";

function firstPrefs(): Prefs {
  return {
    language: navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en",
    theme: "auto", size: 112, side: true, inspector: true, panel: true, panelTab: "problems", panelHeight: 176, folded: [],
  };
}

export function createPrefs(storage: Storage) {
  let kept: Partial<Prefs> = {};
  try {
    kept = JSON.parse(storage.getItem(KEY) ?? "{}") as Partial<Prefs>;
  } catch {
    storage.removeItem(KEY);
  }
  const store = createStore<Prefs>({ ...firstPrefs(), ...kept });
  store.watch(() => storage.setItem(KEY, JSON.stringify(store.get())));
  return store;
}
