/** A virtualised grid of equal tiles. It knows places and sizes, and nothing of what is on the tiles. */
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent, type ReactNode, type RefObject, useCallback, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState,
} from "react";

export interface TileGridHandle {
  columns: number;
  scrollTo(index: number): void;
  scrollToFraction(fraction: number): void;
  focus(): void;
  /** Places of the tiles that a rectangle (client coordinates) touches. */
  within(box: { left: number; top: number; right: number; bottom: number }): number[];
}

export interface TileGridProps {
  count: number;
  width: number;
  height: number;
  gap?: number;
  label: string;
  testId?: string;
  tile: (index: number) => ReactNode;
  /** The current tile, if it is drawn, is named to assistive technology as `activePrefix` + `activeId`. */
  activeId: string | null;
  activePrefix: string;
  activeIndex: number;
  handle: RefObject<TileGridHandle | null>;
  onRange?: (first: number, last: number) => void;
  /** Top and bottom of what is shown, as fractions of the whole. */
  onScroll?: (top: number, bottom: number) => void;
  onColumns?: (columns: number) => void;
  onFocus?: () => void;
  onKeyDown?: (event: KeyboardEvent) => void;
}

const PAD = 12;

export function tilesWithin(
  box: { left: number; top: number; right: number; bottom: number },
  shape: Shape,
): number[] {
  const [stepX, stepY] = [shape.width + shape.gapX, shape.height + shape.gapY];
  const firstRow = Math.max(0, Math.ceil((box.top - shape.height) / stepY));
  const lastRow = Math.floor(box.bottom / stepY);
  const firstColumn = Math.max(0, Math.ceil((box.left - shape.width) / stepX));
  const lastColumn = Math.min(shape.columns - 1, Math.floor(box.right / stepX));
  const found: number[] = [];
  for (let row = firstRow; row <= lastRow; row++) {
    for (let column = firstColumn; column <= lastColumn; column++) {
      const index = row * shape.columns + column;
      if (index < shape.count) found.push(index);
    }
  }
  return found;
}

function useWidth(target: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = target.current;
    if (!element) return;
    // Without layout (a test's DOM) the width is 0; 800 then stands for a window.
    const measure = () => setWidth(element.clientWidth || 800);
    measure();
    if (typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [target]);
  return width;
}

interface Shape { columns: number; width: number; height: number; gapX: number; gapY: number; count: number }

function useHandle(
  handle: RefObject<TileGridHandle | null>, scroller: RefObject<HTMLDivElement | null>, shape: Shape,
  toRow: (row: number) => void,
): void {
  const { columns, width, height, gapX, gapY, count } = shape;
  useImperativeHandle(handle, () => ({
    columns,
    scrollTo: (index) => toRow(Math.floor(index / columns)),
    scrollToFraction: (fraction) => {
      const element = scroller.current;
      if (element) element.scrollTop = fraction * element.scrollHeight - element.clientHeight / 2;
    },
    focus: () => scroller.current?.focus({ preventScroll: true }),
    within: (box) => {
      const element = scroller.current;
      if (!element) return [];
      const frame = element.getBoundingClientRect();
      const [dx, dy] = [frame.left + PAD, frame.top + PAD - element.scrollTop];
      const moved = { left: box.left - dx, right: box.right - dx, top: box.top - dy, bottom: box.bottom - dy };
      return tilesWithin(moved, { columns, width, height, gapX, gapY, count });
    },
  }), [scroller, toRow, columns, width, height, gapX, gapY, count]);
}

export function TileGrid(props: TileGridProps) {
  const { count, width, height, gap = 8, tile, handle, onRange, onScroll, onColumns } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const inner = useWidth(scroller);
  const room = inner - 2 * PAD;
  const columns = Math.max(1, Math.floor((room + gap) / (width + gap)));
  // What is left over goes between the columns, so that pictures keep their whole-number scale and the edge is even.
  const gapX = columns > 1 ? Math.min(2.5 * gap, Math.max(gap, Math.floor((room - columns * width) / (columns - 1)))) : gap;
  const rows = Math.ceil(count / columns);
  const virtual = useVirtualizer({
    count: rows,
    getScrollElement: () => scroller.current,
    estimateSize: () => height + gap,
    overscan: 3,
    paddingStart: PAD,
    paddingEnd: PAD,
    scrollPaddingStart: PAD,
    scrollPaddingEnd: PAD,
    initialRect: { width: 800, height: 600 },
  });
  useEffect(() => virtual.measure(), [virtual, width, height, gap]);
  useEffect(() => onColumns?.(columns), [columns, onColumns]);

  const toRow = useCallback((row: number) => virtual.scrollToIndex(row, { align: "auto" }), [virtual]);
  const lines = virtual.getVirtualItems();
  const first = (lines[0]?.index ?? 0) * columns;
  const last = Math.min(count - 1, ((lines.at(-1)?.index ?? 0) + 1) * columns - 1);
  useEffect(() => onRange?.(first, last), [first, last, onRange]);
  const drawn = props.activeId !== null && props.activeIndex >= first && props.activeIndex <= last;

  const report = () => {
    const element = scroller.current;
    if (!element || !element.scrollHeight) return;
    const { scrollTop, clientHeight, scrollHeight } = element;
    onScroll?.(scrollTop / scrollHeight, Math.min(1, (scrollTop + clientHeight) / scrollHeight));
  };
  useEffect(report, [rows, columns, height, inner]);

  useHandle(handle, scroller, { columns, width, height, gapX, gapY: gap, count }, toRow);

  return (
    <div
      ref={scroller}
      className="tile-grid"
      role="grid"
      aria-label={props.label}
      aria-rowcount={rows}
      aria-colcount={columns}
      aria-multiselectable="true"
      aria-activedescendant={drawn ? props.activePrefix + props.activeId! : undefined}
      tabIndex={0}
      data-testid={props.testId}
      onScroll={report}
      onFocus={props.onFocus}
      onKeyDown={props.onKeyDown}
    >
      <div className="tile-grid-all" style={{ height: virtual.getTotalSize() }}>
        {lines.map((line) => (
          <div
            key={line.key}
            role="row"
            aria-rowindex={line.index + 1}
            className="tile-grid-row"
            style={{ transform: `translateY(${line.start}px)`, gap: gapX, paddingInline: PAD, height }}
          >
            {Array.from({ length: Math.min(columns, count - line.index * columns) }, (_, k) => tile(line.index * columns + k))}
          </div>
        ))}
      </div>
    </div>
  );
}
