/** The questions that components ask, by name. Keys start with the word that `state/server.ts` refreshes by. */
import { useQuery } from "@tanstack/react-query";
import { useApp } from "@/state/app";
import { held } from "@/state/server";
import { useStore } from "@/state/store";
import { filtersKey, type View } from "@/state/view";
import type { Detail, Filters, Item, Label, Order } from "./types";

export function useSession() {
  const { client } = useApp();
  return useQuery({ queryKey: ["session"], queryFn: () => client.session() });
}

export function useFacets(filters: Filters) {
  const { client } = useApp();
  return useQuery({
    queryKey: ["facets", filtersKey(filters)], queryFn: () => client.facets(filters), placeholderData: (old) => old,
  });
}

/** What the grid knows already is shown at once; the rest is that of the example before, until the answer is here. */
export function useDetail(id: string | null) {
  const app = useApp();
  const [item] = id === null ? [] : held(app, [id]);
  const query = useQuery<Detail>({
    queryKey: ["detail", id], queryFn: () => app.client.example(id!), enabled: id !== null,
    placeholderData: (old) => (item ? { ...(old ?? bare(item)), item } : old),
  });
  return query.isError && !query.data && item ? { ...query, data: bare(item) } : query;
}

/** All that can be said of an example without asking the server. */
function bare(item: Item): Detail {
  return { item, probabilities: [], losses: [], margin: null, entropy: null, neighbours: [], history: [], message: "" };
}

export function useBuilds() {
  const { client } = useApp();
  return useQuery({ queryKey: ["builds"], queryFn: () => client.builds() });
}

export function useReport(id: string | null) {
  const { client } = useApp();
  return useQuery({ queryKey: ["report", id], queryFn: () => client.report(id!), enabled: id !== null });
}

export function useLog() {
  const { client } = useApp();
  return useQuery({ queryKey: ["log"], queryFn: () => client.log(200) });
}

export const idsQuery = (client: ReturnType<typeof useApp>["client"], filters: Filters, order: Order) => ({
  queryKey: ["ids", filtersKey(filters), order],
  queryFn: () => client.ids(filters, order),
});

const NO_LABELS: Label[] = [];

export function useLabels(): Label[] {
  const { client } = useApp();
  return useQuery({ queryKey: ["session"], queryFn: () => client.session(), select: (session) => session.labels }).data ?? NO_LABELS;
}

const lookups = new WeakMap<Label[], (name: string | null) => number>();

/** A label's place in the schema, by its name; -1 for a name that is not one. The same function for the same labels,
 * so that tiles are drawn anew only when they change. */
export function useLabelIndex(): (name: string | null) => number {
  const labels = useLabels();
  const known = lookups.get(labels);
  if (known) return known;
  const places = new Map(labels.map((label) => [label.name, label.index]));
  const lookup = (name: string | null) => (name === null ? -1 : (places.get(name) ?? -1));
  lookups.set(labels, lookup);
  return lookup;
}

/** One part of the view: whoever asks for the whole is drawn anew at every step of the arrow keys. */
export function useView<K extends keyof View>(part: K): View[K] {
  return useStore(useApp().view, (view) => view[part]);
}
