/** One registry feeds the keys, the palette, the context menu and the sheet of keys. */
import type { App } from "./app";

export const GROUPS = ["label", "move", "select", "filter", "view", "build", "help"] as const;
export type Group = (typeof GROUPS)[number];

export interface Action {
  /** Stable name, e.g. `label.accept`. */
  name: string;
  group: Group;
  /** What it does, in the reader's language. */
  title: (app: App) => string;
  /** As `chord` writes them; the first is the one shown. */
  keys: readonly string[];
  /** Shown on a right click on an example. */
  menu?: boolean;
  /** Left out of the palette: it makes sense only as a key. */
  keyOnly?: boolean;
  /** Also works while a text box has the focus. */
  always?: boolean;
  enabled?: (app: App) => boolean;
  perform: (app: App) => void;
}

interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

/** A key press as text: `Mod` is Ctrl or Command. Shift is named only where it does not already change the key. */
export function chord(press: KeyPress): string {
  const key = press.key === " " ? "Space" : press.key.length === 1 ? press.key.toLowerCase() : press.key;
  const letter = /^[a-z]$/.test(key) || key.length > 1;
  return [
    press.ctrlKey || press.metaKey ? "Mod" : "",
    press.altKey ? "Alt" : "",
    press.shiftKey && letter ? "Shift" : "",
    key,
  ].filter(Boolean).join("+");
}

const NAMES: Record<string, string> = {
  ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Enter: "↵", Space: "␣", Escape: "Esc", Shift: "⇧",
};

/** A chord as it is written on the key caps. */
export function caps(keys: string, apple = /Mac|iP/.test(navigator.platform)): string[] {
  return keys.split(/\+(?=.)/).map((part) => {
    if (part === "Mod") return apple ? "⌘" : "Ctrl";
    return NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part);
  });
}

export function findAction(actions: readonly Action[], pressed: string): Action | undefined {
  return actions.find((action) => action.keys.includes(pressed));
}

/** By name, so that a button in one feature can do what another feature knows how to do. */
export function perform(app: App, name: string): void {
  app.actions().find((action) => action.name === name)?.perform(app);
}
