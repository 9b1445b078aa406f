import { type MouseEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLabelIndex, useSession, useView } from "@/api/queries";
import { useT } from "@/i18n";
import { useApp } from "@/state/app";
import { extendTo, moveTo, selectAll, toggle } from "@/state/selection";
import { useStore } from "@/state/store";
import { NO_FILTERS } from "@/state/view";
import { Button } from "@/ui/Button";
import { Empty, Failure } from "@/ui/States";
import { TileGrid, type TileGridHandle } from "@/ui/TileGrid";
import { LossStrip } from "./LossStrip";
import { captionHeight, Tile } from "./Tile";
import { Toolbar } from "./Toolbar";
import { useExamples } from "./useExamples";
import { useLasso } from "./useLasso";

type Examples = ReturnType<typeof useExamples>;

/** The grid as the list that the keys walk along. */
function useGridList(examples: Examples, handle: React.RefObject<TileGridHandle | null>, columns: number) {
  const app = useApp();
  const { idAt, indexOf, between, count } = examples;
  const list = useMemo(() => ({
    name: "grid", count, columns, idAt, indexOf, between,
    scrollTo: (index: number) => handle.current?.scrollTo(index),
    focus: () => handle.current?.focus(),
  }), [count, columns, idAt, indexOf, between, handle]);
  const latest = useRef(list);
  latest.current = list;
  useEffect(() => {
    const now = app.list.get();
    if (!now || now.name === "grid" || now.name === "diff") app.list.set(list);
  }, [app, list]);
  useEffect(() => () => app.list.set((now) => (now?.name === "grid" ? null : now)), [app]);
  return useCallback(() => app.list.set(latest.current), [app]);
}

/** The example of the address, or the first one, is the current one; and it is on the screen. */
function useFirstCurrent(examples: Examples, handle: React.RefObject<TileGridHandle | null>) {
  const app = useApp();
  const id = useView("id");
  const { pending, count, idAt, indexOf, all } = examples;
  const shown = useRef<string | null>(null);
  useEffect(() => {
    if (pending || !count) return;
    const now = app.selection.get();
    if (now.current === null) {
      app.selection.set(moveTo(now, idAt(0), 0, false));
      return;
    }
    if (shown.current === now.current || now.index >= 0) return;
    shown.current = now.current;
    const place = indexOf(now.current);
    const settle = (index: number) => {
      if (index < 0) return;
      app.selection.set((latest) => (latest.current === now.current ? { ...latest, index, anchor: index } : latest));
      handle.current?.scrollTo(index);
    };
    if (place >= 0) settle(place);
    else void all().then((ids) => settle(ids.indexOf(now.current!)));
  }, [app, id, pending, count, idAt, indexOf, all, handle]);
}

function useMouse(examples: Examples, activate: () => void) {
  const app = useApp();
  const { idAt, between } = examples;
  const onPress = useCallback((event: MouseEvent, index: number) => {
    const id = idAt(index);
    if (id === null) return;
    activate();
    const now = app.selection.get();
    if (event.shiftKey) {
      const anchor = now.anchor < 0 ? index : now.anchor;
      void between(Math.min(anchor, index), Math.max(anchor, index)).then((ids) =>
        app.selection.set(extendTo({ ...app.selection.get(), anchor }, ids, id, index)));
    } else if (event.ctrlKey || event.metaKey) app.selection.set(toggle(now, id, index));
    else app.selection.set(moveTo(now, id, index));
  }, [app, activate, idAt, between]);
  const onOpen = useCallback((index: number) => {
    if (idAt(index) !== null) app.go({ big: true });
  }, [app, idAt]);
  const onMenu = useCallback((event: MouseEvent, index: number) => {
    event.preventDefault();
    const id = idAt(index);
    if (id === null) return;
    activate();
    const now = app.selection.get();
    app.selection.set(now.selected.has(id) ? { ...now, current: id, index } : moveTo(now, id, index));
    app.ui.set((ui) => ({ ...ui, menu: { x: event.clientX, y: event.clientY } }));
  }, [app, activate, idAt]);
  return { onPress, onOpen, onMenu };
}

function Nothing({ rows }: { rows: number }) {
  const t = useT();
  const app = useApp();
  if (rows > 0) {
    return (
      <Empty icon="search" title={t("explore.noMatch")} action={<Button kind="primary" onClick={() => app.filter(NO_FILTERS)}>{t("explore.clear")}</Button>}>
        {t("explore.noMatchHint")}
      </Empty>
    );
  }
  return <Empty icon="grid" title={t("explore.noRows")}>{t("explore.noRowsHint")}<br /><code>sw2 add pictures/</code></Empty>;
}

/** Tells the pages what is looked at, and takes the new order whole when the old one has no more to show. */
function useRange(show: Examples["show"]) {
  const app = useApp();
  const stale = useStore(app.stale);
  return useCallback((first: number, last: number) => {
    if (stale && app.list.get()?.idAt(last) === null) {
      app.stale.set(false);
      void app.query.invalidateQueries({ queryKey: ["examples"] });
    }
    show(first, last);
  }, [app, stale, show]);
}

function Tiles({ examples }: { examples: Examples }) {
  const t = useT();
  const app = useApp();
  const size = useView("size");
  const selection = useStore(app.selection);
  const indexOf = useLabelIndex();
  const handle = useRef<TileGridHandle>(null);
  const [columns, setColumns] = useState(1);
  const [part, setPart] = useState<[number, number]>([0, 1]);
  const activate = useGridList(examples, handle, columns);
  useFirstCurrent(examples, handle);
  const { onPress, onOpen, onMenu } = useMouse(examples, activate);
  const { at, idAt, show, count, head } = examples;
  const lasso = useLasso(handle, (places) => {
    const ids = places.map(idAt).filter((id) => id !== null);
    app.selection.set((now) => (ids.length ? selectAll({ ...now, current: ids[0]!, index: places[0]!, anchor: places[0]! }, ids) : now));
  });
  const { wasDrag, box } = lasso;
  const press = useCallback((event: MouseEvent, index: number) => {
    if (!wasDrag()) onPress(event, index);
  }, [wasDrag, onPress]);
  const tile = (index: number) => {
    const item = at(index);
    const here = item !== undefined && item.id === selection.current;
    const selected = item !== undefined && selection.selected.has(item.id);
    const place = { index, column: index % columns, size, indexOf };
    return <Tile key={item?.id ?? index} item={item} {...place} current={here} selected={selected} onPress={press} onOpen={onOpen} onMenu={onMenu} />;
  };
  return (
    <>
      <LossStrip losses={head?.losses ?? []} top={part[0]} bottom={part[1]} onGo={(f) => handle.current?.scrollToFraction(f)} />
      <div className="grid-area" id="examples" {...lasso.handlers}>
        <TileGrid
          count={count}
          width={size}
          height={size + captionHeight(size)}
          label={t("grid.name", { count })}
          testId="grid"
          handle={handle}
          activeId={selection.current}
          activePrefix="tile-"
          activeIndex={selection.current ? examples.indexOf(selection.current) : -1}
          onRange={useRange(show)}
          onScroll={(top, bottom) => setPart([top, bottom])}
          onColumns={setColumns}
          onFocus={activate}
          tile={tile}
        />
        {box && <span className="lasso" style={{ left: box.left, top: box.top, width: box.right - box.left, height: box.bottom - box.top }} />}
      </div>
    </>
  );
}

export function Grid() {
  const t = useT();
  const session = useSession();
  const examples = useExamples();
  const { head, error, pending, count } = examples;
  return (
    <section className="grid" aria-label={t("view.explore")}>
      <Toolbar total={head?.total ?? 0} filtered={count} />
      <div className="grid-body" aria-busy={pending} data-waiting={(pending && head !== undefined) || undefined}>
        {error && !head ? <Failure error={error} again={examples.again} /> : null}
        {head && count === 0 && !pending && <Nothing rows={session.data?.rows ?? head.total} />}
        {head && count > 0 && <Tiles examples={examples} />}
      </div>
    </section>
  );
}
