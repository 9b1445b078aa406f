/** Edits as pictures: what each example was labelled, and what it is labelled now. */
import { type ReactNode, type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Change } from "@/api/types";
import { useSession } from "@/api/queries";
import { useT } from "@/i18n";
import { useApp } from "@/state/app";
import { moveTo } from "@/state/selection";
import { useStore } from "@/state/store";
import { Icon } from "./Icon";
import { LabelPair } from "./LabelName";
import { Picture } from "./Picture";
import { TileGrid, type TileGridHandle } from "./TileGrid";

const [SIZE, CAPTION] = [112, 40];

function DiffTile({ change, column, current, onPress, onOpen, onMenu }: {
  change: Change;
  column: number;
  current: boolean;
  onPress: () => void;
  onOpen: () => void;
  onMenu: (event: React.MouseEvent) => void;
}) {
  const t = useT();
  const target = change.column === (useSession().data?.target ?? change.column);
  // A label that was kept leaves one trace: the row counts as reviewed from then on.
  const kept = !target && change.column === "reviewed" && change.new === "true";
  const other = !target && !kept;
  return (
    <div
      id={`diff-${change.id}`}
      role="gridcell"
      aria-colindex={column + 1}
      aria-selected={current}
      title={change.id}
      className="tile"
      data-testid="change"
      data-id={change.id}
      data-current={current || undefined}
      style={{ width: SIZE, height: SIZE + CAPTION }}
      onClick={onPress}
      onDoubleClick={onOpen}
      onContextMenu={onMenu}
    >
      <span className="tile-picture" style={{ height: SIZE }}><Picture src={change.thumb} alt={change.id} /></span>
      <span className="diff-caption">
        {kept && <span className="diff-kept"><Icon name="check" size={12} /> {t("diff.reviewed")}</span>}
        {other && <span className="diff-column">{change.column}</span>}
        {other && <span className="diff-cell">{[change.old, change.new].map((cell) => cell ?? "–").join(" → ")}</span>}
        {target && <LabelPair from={change.old} to={change.new} tone="pair-diff" />}
      </span>
    </div>
  );
}

function useDiffList(items: readonly Change[], columns: number, handle: RefObject<TileGridHandle | null>) {
  const app = useApp();
  const list = useMemo(() => ({
    name: "diff", count: items.length, columns,
    idAt: (index: number) => items[index]?.id ?? null,
    indexOf: (id: string) => items.findIndex((change) => change.id === id),
    between: (first: number, last: number) => Promise.resolve(items.slice(first, last + 1).map((change) => change.id)),
    scrollTo: (index: number) => handle.current?.scrollTo(index),
    focus: () => handle.current?.focus(),
  }), [items, columns, handle]);
  useEffect(() => app.list.set(list), [app, list]);
  useEffect(() => () => app.list.set((now) => (now?.name === "diff" ? null : now)), [app]);
  return useCallback(() => app.list.set(list), [app, list]);
}

export function DiffGrid({ items, label, empty }: { items: readonly Change[]; label: string; empty: ReactNode }) {
  const app = useApp();
  const current = useStore(app.selection, (now) => now.current);
  const handle = useRef<TileGridHandle>(null);
  const [columns, setColumns] = useState(1);
  const activate = useDiffList(items, columns, handle);
  if (items.length === 0) return <>{empty}</>;
  const press = (index: number) => {
    const change = items[index];
    activate();
    if (change) app.selection.set(moveTo(app.selection.get(), change.id, index));
  };
  return (
    <TileGrid
      count={items.length}
      width={SIZE}
      height={SIZE + CAPTION}
      label={label}
      handle={handle}
      activeId={current}
      activePrefix="diff-"
      activeIndex={items.findIndex((change) => change.id === current)}
      onColumns={setColumns}
      onFocus={activate}
      tile={(index) => {
        const change = items[index]!;
        return (
          <DiffTile
            key={`${change.id}/${change.column}`}
            change={change}
            column={index % columns}
            current={change.id === current}
            onPress={() => press(index)}
            onOpen={() => {
              press(index);
              app.go({ view: "explore", big: true });
            }}
            onMenu={(event) => {
              event.preventDefault();
              press(index);
              app.ui.set((ui) => ({ ...ui, menu: { x: event.clientX, y: event.clientY } }));
            }}
          />
        );
      }}
    />
  );
}

/** The pairs `old → new` with their numbers; a click shows only these. */
export function PairList({ pairs, chosen, onChoose }: {
  pairs: readonly (readonly unknown[])[];
  chosen: string | null;
  onChoose: (pair: string | null) => void;
}) {
  return (
    <ul className="pair-list">
      {pairs.map(([from, to, count]) => {
        const pair = pairKey(from as string, to as string);
        return (
          <li key={pair}>
            <button type="button" className="pair-row" aria-pressed={chosen === pair} onClick={() => onChoose(chosen === pair ? null : pair)}>
              <LabelPair from={from as string} to={to as string} tone="pair-diff" />
              <span className="facet-count"><LabelCount count={count as number} /></span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function LabelCount({ count }: { count: number }) {
  const t = useT();
  return <>{t("diff.count", { count })}</>;
}

export const pairKey = (from: string | null, to: string | null) => JSON.stringify([from ?? "", to ?? ""]);
