/** The questions that components ask, by name. Keys start with the word that `state/server.ts` refreshes by. */
import { useQuery } from "@tanstack/react-query";
import { useApp } from "@/state/app";
import { useStore } from "@/state/store";
import { filtersKey } from "@/state/view";
import type { Filters, Label, Order } from "./types";

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

export function useDetail(id: string | null) {
  const { client } = useApp();
  return useQuery({
    queryKey: ["detail", id], queryFn: () => client.example(id!), enabled: id !== null, placeholderData: (old) => old,
  });
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

/** A label's place in the schema, by its name; -1 for a name that is not one. */
export function useLabelIndex(): (name: string | null) => number {
  const labels: Label[] = useSession().data?.labels ?? [];
  const places = new Map(labels.map((label) => [label.name, label.index]));
  return (name) => (name === null ? -1 : (places.get(name) ?? -1));
}

export const useView = () => useStore(useApp().view);
