import { useMemo } from "react";
import { heldPages, usePaged } from "@/api/pages";
import type { Problem, ProblemPage } from "@/api/types";
import { useApp } from "@/state/app";

const itemsOf = (page: ProblemPage): Problem[] => page.items;

export function useProblems(code: string | null) {
  const app = useApp();
  const paged = usePaged<ProblemPage, Problem>({
    key: ["problems", code ?? ""],
    fetch: (offset, limit) => app.client.problems(code, offset, limit),
    items: itemsOf,
    count: (page) => page.total,
  });
  const lookup = useMemo(() => {
    const pages = heldPages<ProblemPage, Problem>(app.query, ["problems", code ?? ""], itemsOf);
    return {
      idAt: (index: number) => pages.at(index)?.id ?? null,
      indexOf: (id: string) => pages.find((problem) => problem.id === id),
    };
  }, [app, code]);
  return { ...paged, ...lookup };
}
