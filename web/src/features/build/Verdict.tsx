import type { ReactNode } from "react";
import type { BuildReport } from "@/api/types";
import { useT } from "@/i18n";
import { perform } from "@/state/actions";
import { useApp } from "@/state/app";
import { withFilters } from "@/state/view";
import { Button, Link } from "@/ui/Button";
import { int, percent, plusMinus, signed } from "@/ui/format";
import { Icon } from "@/ui/Icon";

type Interval = readonly number[];

/** Two dots with their 95 % intervals on one scale: whether they overlap is seen, not computed. */
function Intervals({ rows }: { rows: { name: string; value: number; interval: Interval; strong: boolean }[] }) {
  const low = Math.max(0, Math.min(...rows.map((row) => row.interval[0] ?? 0)) - 0.01);
  const high = Math.min(1, Math.max(...rows.map((row) => row.interval[1] ?? 1)) + 0.01);
  const [width, left, right] = [300, 52, 8];
  const x = (value: number) => left + ((value - low) / (high - low || 1)) * (width - left - right);
  return (
    <svg className="intervals" width={width} height={rows.length * 20 + 18} aria-hidden="true">
      {rows.map((row, k) => (
        <g key={row.name} className={row.strong ? "interval-strong" : ""} transform={`translate(0 ${k * 20 + 10})`}>
          <line x1={x(row.interval[0] ?? low)} x2={x(row.interval[1] ?? high)} />
          <circle cx={x(row.value)} r="4" />
          <text x={left - 8} y="4" textAnchor="end">{row.name}</text>
        </g>
      ))}
      <text x={left} y={rows.length * 20 + 12}>{percent(low)}</text>
      <text x={width - right} y={rows.length * 20 + 12} textAnchor="end">{percent(high)}</text>
    </svg>
  );
}

/** Better, worse, or neither as far as the test examples can tell. */
export function judgement(interval: Interval): "better" | "worse" | "same" {
  if ((interval[0] ?? 0) > 0) return "better";
  if ((interval[1] ?? 0) < 0) return "worse";
  return "same";
}

export function Verdict({ report, children }: { report: BuildReport; children?: ReactNode }) {
  const t = useT();
  const app = useApp();
  const { comparison, info } = report;
  const after = comparison?.after_accuracy ?? info.accuracy;
  if (after === null) return null;
  const interval = comparison?.after_interval ?? info.interval ?? [after, after];
  const judged = comparison ? judgement(comparison.difference_interval) : null;
  return (
    <div className="verdict">
      <div className="verdict-done"><Icon name="check" /> <span>{info.cached ? t("build.unchanged") : t("build.done")}</span>
        <Button kind="primary" onClick={() => perform(app, "build.seeWorst")}>{t("build.seeWorst")}</Button>
        {children}
      </div>
      <div className="verdict-numbers">
        {comparison && (
          <span className="figure">
            <small>{t("build.before")}</small>
            <b data-testid="accuracy-before">{percent(comparison.before_accuracy)}</b>
            <small>{plusMinus(comparison.before_interval)}</small>
          </span>
        )}
        {comparison && <span className="figure-to" aria-hidden="true">→</span>}
        <span className="figure figure-after">
          <small>{comparison ? t("build.after") : t("build.accuracy")}</small>
          <b data-testid="accuracy-after">{percent(after)}</b>
          <small>{plusMinus(interval)}</small>
        </span>
      </div>
      {comparison && (
        <>
          <Intervals rows={[
            { name: t("build.before"), value: comparison.before_accuracy, interval: comparison.before_interval, strong: false },
            { name: t("build.after"), value: after, interval, strong: true },
          ]} />
          <p className={`verdict-judged verdict-${judged}`}>
            {t(`build.judged.${judged!}`)}{" "}
            <span className="note">{t("build.difference", {
              points: signed(comparison.after_accuracy - comparison.before_accuracy),
              low: signed(comparison.difference_interval[0] ?? 0), high: signed(comparison.difference_interval[1] ?? 0),
            })}</span>
          </p>
          <p className="verdict-links">
            <Link className="link-accent" onClick={() => app.filter(withFilters({ change: ["better"] }))}>{t("build.better", { count: comparison.better, number: int(comparison.better) })}</Link>
            <Link className="link-accent" onClick={() => app.filter(withFilters({ change: ["worse"] }))}>{t("build.worse", { count: comparison.worse, number: int(comparison.worse) })}</Link>
            <span className="note">{t("build.tested", { count: comparison.tested, number: int(comparison.tested) })}</span>
          </p>
        </>
      )}
    </div>
  );
}
