import { t } from "@/i18n";
import type { Action } from "@/state/actions";
import type { App } from "@/state/app";
import { extendTo, moveTo } from "@/state/selection";

export type Way = "left" | "right" | "up" | "down" | "pageUp" | "pageDown" | "home" | "end";

/** Where a step leads in a list of `count` with `columns` a row; from nowhere it leads to the first. */
export function stepFrom(index: number, way: Way, columns: number, count: number): number {
  if (count === 0) return -1;
  if (index < 0) return 0;
  const steps: Record<Way, number> = {
    left: -1, right: 1, up: -columns, down: columns, pageUp: -columns * 4, pageDown: columns * 4, home: -index,
    end: count - 1 - index,
  };
  const next = index + steps[way];
  if (way === "up" && next < 0) return index;
  if (way === "down" && next >= count) {
    const lastRow = Math.floor((count - 1) / columns) === Math.floor(index / columns);
    return lastRow ? index : count - 1;
  }
  return Math.max(0, Math.min(count - 1, next));
}

async function step(app: App, way: Way, extend: boolean): Promise<void> {
  const list = app.list.get();
  if (!list) return;
  const now = app.selection.get();
  const place = now.current === null ? -1 : list.indexOf(now.current);
  const next = stepFrom(place < 0 ? now.index : place, way, list.columns, list.count);
  if (next < 0) return;
  list.scrollTo(next);
  // The end of a long list is not on the page yet; the server knows who is there.
  const id = list.idAt(next) ?? (await list.between(next, next))[0];
  if (!id) return;
  if (!extend) return app.selection.set(moveTo(now, id, next, false));
  const anchor = now.anchor < 0 ? Math.max(place, 0) : now.anchor;
  const ids = await list.between(Math.min(anchor, next), Math.max(anchor, next));
  app.selection.set(extendTo({ ...app.selection.get(), anchor }, ids, id, next));
}

const KEYS: Record<Way, string> = {
  left: "ArrowLeft", right: "ArrowRight", up: "ArrowUp", down: "ArrowDown", pageUp: "PageUp", pageDown: "PageDown",
  home: "Home", end: "End",
};

export const moves: Action[] = (Object.keys(KEYS) as Way[]).flatMap((way): Action[] => [
  {
    name: `move.${way}`, group: "move", title: () => t(`action.move.${way}`), keys: [KEYS[way]], keyOnly: true,
    perform: (app) => void step(app, way, false),
  },
  {
    name: `select.${way}`, group: "select", title: () => t(`action.select.${way}`), keys: [`Shift+${KEYS[way]}`], keyOnly: true,
    perform: (app) => void step(app, way, true),
  },
]);
