import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useCallback, useEffect, useMemo, useRef } from "react";
import type { Problem } from "@/api/types";
import { known, useT } from "@/i18n";
import { perform } from "@/state/actions";
import { useApp } from "@/state/app";
import { extendTo, moveTo, toggle } from "@/state/selection";
import { useStore } from "@/state/store";
import { Button } from "@/ui/Button";
import { two } from "@/ui/format";
import { Keycaps } from "@/ui/Keycaps";
import { LabelName, LabelPair } from "@/ui/LabelName";
import { Picture } from "@/ui/Picture";
import { Empty, Failure, SkeletonRows } from "@/ui/States";
import { useProblems } from "./useProblems";

type Problems = ReturnType<typeof useProblems>;

function useProblemList(problems: Problems, scrollTo: (index: number) => void, focus: () => void) {
  const app = useApp();
  const { count, idAt, indexOf } = problems;
  const list = useMemo(() => ({
    name: "problems", count, columns: 1, idAt, indexOf, scrollTo, focus,
    between: (first: number, last: number) => {
      const ids = Array.from({ length: last - first + 1 }, (_, k) => idAt(first + k));
      return Promise.resolve(ids.filter((id) => id !== null));
    },
  }), [count, idAt, indexOf, scrollTo, focus]);
  useEffect(() => app.list.set((now) => (now?.name === "problems" ? list : now)), [app, list]);
  useEffect(() => () => app.list.set((now) => (now?.name === "problems" ? null : now)), [app]);
  return useCallback(() => app.list.set(list), [app, list]);
}

/** Which row is current: the first open one where the list is the main thing, else the one that is current above. */
function useCurrentRow(problems: Problems, tall: boolean, activate: () => void, scrollTo: (index: number) => void): void {
  const app = useApp();
  useEffect(() => {
    if (tall) activate();
  }, [tall, activate]);
  const { head, at, indexOf, count } = problems;
  // Follows the example that is current elsewhere, so that the row below is always the picture above.
  const current = useStore(app.selection, (now) => now.current);
  useEffect(() => {
    const place = current === null || app.list.get()?.name === "problems" ? -1 : indexOf(current);
    if (place >= 0) scrollTo(place);
  }, [app, current, indexOf, scrollTo]);
  useEffect(() => {
    const now = app.selection.get();
    if (!tall || !head || (now.current && indexOf(now.current) >= 0)) return;
    const open = Math.max(0, head.items.findIndex((problem) => !problem.resolved));
    const id = at(open)?.id;
    if (id) app.selection.set(moveTo(now, id, open, false));
  }, [app, tall, head, at, indexOf, count]);
}

function useMouse(problems: Problems, activate: () => void) {
  const app = useApp();
  const press = (event: React.MouseEvent, index: number) => {
    const id = problems.at(index)?.id;
    if (!id) return;
    activate();
    const now = app.selection.get();
    if (event.shiftKey && now.index >= 0) {
      const [from, to] = [Math.min(now.anchor, index), Math.max(now.anchor, index)];
      const ids = Array.from({ length: to - from + 1 }, (_, k) => problems.at(from + k)?.id).filter((one) => one !== undefined);
      app.selection.set(extendTo(now, ids, id, index));
    } else app.selection.set(event.ctrlKey || event.metaKey ? toggle(now, id, index) : moveTo(now, id, index));
  };
  const menu = (event: React.MouseEvent, index: number) => {
    event.preventDefault();
    if (!app.selection.get().selected.has(problems.at(index)?.id ?? "")) press({ shiftKey: false, ctrlKey: false, metaKey: false } as React.MouseEvent, index);
    app.ui.set((ui) => ({ ...ui, menu: { x: event.clientX, y: event.clientY } }));
  };
  return { press, menu };
}

function Row({ problem, tall, current, selected, place }: { problem: Problem; tall: boolean; current: boolean; selected: boolean; place: number }) {
  const t = useT();
  const pair = problem.proposed !== null && problem.proposed !== problem.given;
  return (
    <div
      id={`problem-${problem.id}`}
      role="row"
      aria-selected={selected || current}
      aria-rowindex={place + 1}
      className="problem"
      data-testid="problem"
      data-id={problem.id}
      data-current={current || undefined}
      data-selected={selected || undefined}
      data-resolved={problem.resolved || undefined}
    >
      <span role="gridcell" className="problem-thumb" style={{ width: tall ? 40 : 20, height: tall ? 40 : 20 }}><Picture src={problem.thumb} alt="" /></span>
      <span role="gridcell" className="problem-code">{problem.code}</span>
      <span role="gridcell" className="problem-name">{problem.resolved ? t("problems.resolved") : known("finding", problem.code, problem.message)}</span>
      <span role="gridcell" className="problem-pair">{pair ? <LabelPair from={problem.given} to={problem.proposed} tone={problem.resolved ? "" : "pair-doubt"} /> : <LabelName name={problem.given} />}</span>
      <span role="gridcell" className="problem-p">{problem.probability !== null && two(problem.probability)}</span>
      <span role="gridcell" className="problem-id">{problem.id}</span>
      {current && !problem.resolved && (
        <span role="gridcell" className="problem-keys" aria-hidden="true">
          <Keycaps keys="Enter" /> {t("key.accept")} <Keycaps keys="x" /> {t("key.keep")} <Keycaps keys="Space" /> {t("key.later")}
        </span>
      )}
    </div>
  );
}

export const ProblemList = memo(function ProblemList({ code, tall }: { code: string | null; tall: boolean }) {
  const t = useT();
  const app = useApp();
  const problems = useProblems(code);
  const selection = useStore(app.selection);
  const scroller = useRef<HTMLDivElement>(null);
  const height = tall ? 48 : 24;
  const virtual = useVirtualizer({
    count: problems.count, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 6,
    initialRect: { width: 800, height: 400 },
  });
  const scrollTo = useCallback((index: number) => virtual.scrollToIndex(index, { align: "auto" }), [virtual]);
  const focus = useCallback(() => scroller.current?.focus({ preventScroll: true }), []);
  const activate = useProblemList(problems, scrollTo, focus);
  const lines = virtual.getVirtualItems();
  const [first, last] = [lines[0]?.index ?? 0, lines.at(-1)?.index ?? 0];
  const { show } = problems;
  useEffect(() => show(first, last), [show, first, last]);
  useCurrentRow(problems, tall, activate, scrollTo);
  const { press, menu } = useMouse(problems, activate);

  if (problems.error && !problems.head) return <Failure error={problems.error} again={problems.again} />;
  if (!problems.head) return <SkeletonRows count={4} height={24} />;
  if (problems.count === 0) return <NoProblems />;
  return (
    <div
      ref={scroller}
      className={`problems${tall ? " problems-tall" : ""}`}
      role="grid"
      aria-label={t("view.problems")}
      aria-rowcount={problems.count}
      aria-activedescendant={lines.some((line) => problems.at(line.index)?.id === selection.current) ? `problem-${selection.current}` : undefined}
      tabIndex={0}
      data-testid="problems"
      onFocus={activate}
    >
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {lines.map((line) => {
          const problem = problems.at(line.index);
          return (
            <div
              key={line.key}
              role="presentation"
              className="problem-place"
              style={{ transform: `translateY(${line.start}px)`, height }}
              onClick={(event) => press(event, line.index)}
              onDoubleClick={() => app.go({ view: "explore", big: true })}
              onContextMenu={(event) => menu(event, line.index)}
            >
              {problem && <Row problem={problem} tall={tall} place={line.index} current={problem.id === selection.current} selected={selection.selected.has(problem.id)} />}
            </div>
          );
        })}
      </div>
    </div>
  );
});

function NoProblems() {
  const t = useT();
  const app = useApp();
  if (app.session()?.program) return <Empty icon="check" title={t("problems.none")}>{t("problems.noneHint")}</Empty>;
  const can = Boolean(app.session()?.rows) && !app.session()?.building;
  return (
    <Empty icon="warning" title={t("problems.noProgram")} action={can && <Button kind="primary" onClick={() => perform(app, "build.start")}>{t("explore.firstBuild")}</Button>}>
      {t("problems.noProgramHint")}
    </Empty>
  );
}
