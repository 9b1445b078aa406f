import { type PointerEvent, type RefObject, useRef, useState } from "react";
import type { TileGridHandle } from "@/ui/TileGrid";

interface Box { left: number; top: number; right: number; bottom: number }

/** Six pixels of hand tremor are still a click. */
const TREMOR = 6;

function boxOf(from: { x: number; y: number }, to: { x: number; y: number }): Box {
  return {
    left: Math.min(from.x, to.x), right: Math.max(from.x, to.x), top: Math.min(from.y, to.y), bottom: Math.max(from.y, to.y),
  };
}

/** A rectangle drawn with the mouse selects the tiles that it touches. */
export function useLasso(grid: RefObject<TileGridHandle | null>, choose: (places: number[]) => void) {
  const [box, setBox] = useState<Box | null>(null);
  const start = useRef<{ x: number; y: number } | null>(null);
  const dragged = useRef(false);
  return {
    box,
    /** True for the click that ends a drag, which is not a click on a tile. */
    wasDrag: () => dragged.current,
    handlers: {
      onPointerDown(event: PointerEvent) {
        dragged.current = false;
        const onBar = event.nativeEvent.offsetX > (event.target as HTMLElement).clientWidth;
        start.current = event.button === 0 && event.pointerType !== "touch" && !onBar ? { x: event.clientX, y: event.clientY } : null;
      },
      onPointerMove(event: PointerEvent) {
        if (!start.current || event.buttons !== 1) return;
        const to = { x: event.clientX, y: event.clientY };
        const far = Math.hypot(to.x - start.current.x, to.y - start.current.y) > TREMOR;
        if (!far && !dragged.current) return;
        if (!dragged.current) event.currentTarget.setPointerCapture(event.pointerId);
        dragged.current = true;
        const next = boxOf(start.current, to);
        setBox(next);
        choose(grid.current?.within(next) ?? []);
      },
      onPointerUp() {
        start.current = null;
        setBox(null);
      },
      onPointerCancel() {
        start.current = null;
        setBox(null);
      },
    },
  };
}
