import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Changes } from "./types";

const LIMIT = 500;

/** All edits of a commit, or of the stage: the first page is shown while the others arrive. */
export function useChanges(key: readonly unknown[], fetch: (offset: number, limit: number) => Promise<Changes>, enabled = true) {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => fetch(pageParam, LIMIT),
    initialPageParam: 0,
    getNextPageParam: (last: Changes, pages: Changes[]) => {
      const seen = pages.reduce((sum, page) => sum + page.items.length, 0);
      return last.items.length && seen < last.total ? seen : undefined;
    },
    enabled,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const pages = query.data?.pages ?? [];
  return {
    summary: pages[0], items: pages.flatMap((page) => page.items), error: query.error, pending: query.isPending,
    again: () => void query.refetch(),
  };
}
