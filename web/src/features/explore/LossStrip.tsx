import { type PointerEvent, useRef } from "react";
import { useT } from "@/i18n";
import { two } from "@/ui/format";

/** The mean of each value and its neighbours: the strip shows where it falls, not each example. */
export function smoothed(values: readonly number[], reach = 2): number[] {
  return values.map((_, k) => {
    const near = values.slice(Math.max(0, k - reach), k + reach + 1);
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
}

/** The loss along the order, top to bottom, with the part that is on the screen; drag on it to go there. */
export function LossStrip({ losses, top, bottom, onGo }: {
  losses: readonly number[];
  top: number;
  bottom: number;
  onGo: (fraction: number) => void;
}) {
  const t = useT();
  const strip = useRef<HTMLDivElement>(null);
  if (losses.length < 2) return null;
  // Roots, for losses fall so steeply that all but the first rows would be a straight line.
  const smooth = smoothed(losses);
  const high = Math.sqrt(Math.max(...smooth, 0.001));
  const path = smooth.map((loss, k) => `L${((Math.sqrt(Math.max(0, loss)) / high) * 100).toFixed(1)} ${((k / (losses.length - 1)) * 100).toFixed(2)}`).join("");
  const go = (event: PointerEvent) => {
    const box = strip.current!.getBoundingClientRect();
    onGo(Math.max(0, Math.min(1, (event.clientY - box.top) / box.height)));
  };
  const here = losses[Math.min(losses.length - 1, Math.floor(top * losses.length))] ?? 0;
  return (
    <div
      ref={strip}
      className="strip"
      role="scrollbar"
      aria-orientation="vertical"
      aria-controls="examples"
      aria-label={t("strip.name")}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(top * 100)}
      aria-valuetext={t("strip.here", { loss: two(here) })}
      title={t("strip.here", { loss: two(here) })}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        go(event);
      }}
      onPointerMove={(event) => event.buttons === 1 && go(event)}
    >
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        <path d={`M0 0${path}L0 100Z`} className="strip-area" />
        <path d={`M${path.slice(1)}`} className="strip-line" vectorEffect="non-scaling-stroke" />
      </svg>
      <span className="strip-window" style={{ top: `${top * 100}%`, height: `${Math.max(1.5, (bottom - top) * 100)}%` }} />
    </div>
  );
}
