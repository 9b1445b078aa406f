import { useCallback, useMemo } from "react";
import { heldPages, usePaged } from "@/api/pages";
import { idsQuery, useView } from "@/api/queries";
import type { Item, Page } from "@/api/types";
import { type App, useApp } from "@/state/app";
import { filtersKey } from "@/state/view";

const itemsOf = (page: Page): Item[] => page.items;

export function examplesKey(app: App): [string, string, string] {
  const { filters, order } = app.view.get();
  return ["examples", filtersKey(filters), order];
}

/** The filtered, ordered examples, and how the keys look them up. */
export function useExamples() {
  const app = useApp();
  const filters = useView("filters");
  const order = useView("order");
  const paged = usePaged<Page, Item>({
    key: ["examples", filtersKey(filters), order],
    fetch: (offset, limit) => app.client.examples(filters, order, offset, limit),
    items: itemsOf,
    count: (page) => page.filtered,
  });
  const lookup = useMemo(() => ({
    idAt: (index: number) => heldPages<Page, Item>(app.query, examplesKey(app), itemsOf).at(index)?.id ?? null,
    indexOf: (id: string) => heldPages<Page, Item>(app.query, examplesKey(app), itemsOf).find((item) => item.id === id),
  }), [app]);
  const all = useCallback(() => app.query.fetchQuery(idsQuery(app.client, app.view.get().filters, app.view.get().order)), [app]);
  const between = useCallback(async (first: number, last: number): Promise<string[]> => {
    const here = Array.from({ length: last - first + 1 }, (_, k) => lookup.idAt(first + k));
    if (here.every((id) => id !== null)) return here as string[];
    return (await all()).slice(first, last + 1);
  }, [lookup, all]);
  return { ...paged, ...lookup, all, between };
}

