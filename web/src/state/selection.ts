/** Which example the keys act on. Every function here is pure. */

export interface Selection {
  current: string | null;
  /** Place of the current example in the list it was chosen from; -1 while unknown. */
  index: number;
  /** Where a range starts. */
  anchor: number;
  selected: ReadonlySet<string>;
  /** True when the current example was clicked on, so that ctrl-click joins it to the selection. One that the keys
   * merely came to rest on does not: it was not meant. */
  chosen: boolean;
}

const NONE: ReadonlySet<string> = new Set();
export const NO_SELECTION: Selection = { current: null, index: -1, anchor: -1, selected: NONE, chosen: false };

export function moveTo(_now: Selection, id: string | null, index: number, chosen = true): Selection {
  return { current: id, index, anchor: index, selected: NONE, chosen };
}

export function toggle(now: Selection, id: string, index: number): Selection {
  const selected = new Set(now.selected);
  if (!selected.size && now.chosen && now.current && now.current !== id) selected.add(now.current);
  if (selected.has(id)) selected.delete(id);
  else selected.add(id);
  return { current: id, index, anchor: index, selected, chosen: true };
}

/** From the anchor to `index`, whose ids (in order, both ends in) the caller looked up. */
export function extendTo(now: Selection, ids: readonly string[], id: string, index: number): Selection {
  return { ...now, current: id, index, anchor: now.anchor < 0 ? index : now.anchor, selected: new Set(ids), chosen: true };
}

export function selectAll(now: Selection, ids: readonly string[]): Selection {
  return { ...now, selected: new Set(ids), chosen: false };
}

export function clear(now: Selection): Selection {
  return now.selected.size ? { ...now, selected: NONE } : now;
}

/** What a verb works on: the selection when there is one, else the current example. */
export function targets(now: Selection): string[] {
  if (now.selected.size) return [...now.selected];
  return now.current ? [now.current] : [];
}
