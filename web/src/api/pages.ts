/** A long list, fetched a page at a time, only where somebody looks. */
import { keepPreviousData, type QueryClient, type QueryKey, useQueries, useQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useRef, useState } from "react";

export const PAGE = 200;

export interface Paged<P, T> {
  /** The first page, which carries the counts; that of the last key while the new one is on its way. */
  head: P | undefined;
  error: unknown;
  count: number;
  pending: boolean;
  at: (index: number) => T | undefined;
  show: (first: number, last: number) => void;
  again: () => void;
}

interface Options<P, T> {
  key: QueryKey;
  fetch: (offset: number, limit: number) => Promise<P>;
  items: (page: P) => T[];
  count: (page: P) => number;
  enabled?: boolean;
}

export function usePaged<P, T>({ key, fetch, items, count, enabled = true }: Options<P, T>): Paged<P, T> {
  const [range, setRange] = useState<[number, number]>([0, 0]);
  const page = (number: number) => ({
    queryKey: [...key, number], queryFn: () => fetch(number * PAGE, PAGE), enabled,
  });
  const first = useQuery({ ...page(0), placeholderData: keepPreviousData });
  const total = first.data ? count(first.data) : 0;
  const wanted = useMemo(() => {
    const last = Math.min(range[1], Math.max(0, Math.ceil(total / PAGE) - 1));
    return Array.from({ length: Math.max(0, last - range[0] + 1) }, (_, k) => range[0] + k).filter((one) => one > 0);
  }, [range, total]);
  const rest = useQueries({ queries: first.isPlaceholderData ? [] : wanted.map(page) });

  const pages = new Map<number, T[]>();
  if (first.data) pages.set(0, items(first.data));
  wanted.forEach((number, k) => {
    const data = rest[k]?.data;
    if (data) pages.set(number, items(data));
  });
  const latest = useRef(pages);
  latest.current = pages;

  const show = useCallback((from: number, to: number) => {
    const next: [number, number] = [Math.floor(Math.max(0, from) / PAGE), Math.floor(Math.max(0, to) / PAGE)];
    setRange((now) => (now[0] === next[0] && now[1] === next[1] ? now : next));
  }, []);
  const at = useCallback((index: number) => latest.current.get(Math.floor(index / PAGE))?.[index % PAGE], []);
  return {
    head: first.data, error: first.error, count: total, pending: first.isPending || first.isPlaceholderData,
    at, show, again: () => void first.refetch(),
  };
}

/** The same pages for those who ask outside of drawing: keys, ranges. */
export function heldPages<P, T>(query: QueryClient, key: QueryKey, items: (page: P) => T[]) {
  return {
    at(index: number): T | undefined {
      const page = query.getQueryData<P>([...key, Math.floor(index / PAGE)]);
      return page && items(page)[index % PAGE];
    },
    find(test: (item: T) => boolean): number {
      for (const [where, page] of query.getQueriesData<P>({ queryKey: key })) {
        const place = page ? items(page).findIndex(test) : -1;
        if (place >= 0) return (where.at(-1) as number) * PAGE + place;
      }
      return -1;
    },
  };
}
