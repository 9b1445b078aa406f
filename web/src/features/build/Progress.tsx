import { useReport } from "@/api/queries";
import type { BuildInfo } from "@/api/types";
import { known, useT } from "@/i18n";
import { useApp } from "@/state/app";
import { Button } from "@/ui/Button";
import { Chart } from "@/ui/Curve";
import { percent } from "@/ui/format";
import { cancelBuild } from "./actions/cancel";

/** "12 s", "3 min": never finer than it can be known. */
export function remaining(seconds: number | null, t: ReturnType<typeof useT>): string {
  if (seconds === null) return t("build.noEstimate");
  if (seconds < 90) return t("build.secondsLeft", { seconds: Math.max(1, Math.round(seconds)) });
  return t("build.minutesLeft", { minutes: Math.round(seconds / 60) });
}

/** The number of epochs a curve will have, from how far this many have brought it. */
export function expectedEpochs(seen: number, done: number, total: number | null): number {
  if (!total || !seen || done <= 0) return Math.max(seen, 2);
  return Math.max(seen, Math.min(200, Math.round((seen * total) / done)));
}

export function Progress({ build, wide }: { build: BuildInfo; wide?: boolean }) {
  const t = useT();
  const app = useApp();
  const report = useReport(build.id);
  const progress = build.progress;
  const part = progress?.total ? Math.min(1, progress.done / progress.total) : null;
  const epochs = report.data?.epochs ?? [];
  const end = expectedEpochs(epochs.length, progress?.done ?? 0, progress?.total ?? null);
  const [width, height] = wide ? [360, 150] : [250, 104];
  return (
    <div className="progress" data-testid="build-progress">
      <div className="progress-head">
        <div className="progress-line">
          <b>{progress ? known("stage", progress.stage) : t("build.starting")}</b>
          <span>{part !== null && percent(part, 0)}</span>
          <span className="note">{remaining(progress?.seconds_left ?? null, t)}</span>
        </div>
        <div
          className="bar"
          role="progressbar"
          aria-label={t("build.progress")}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={part === null ? undefined : Math.round(part * 100)}
        >
          <i style={{ width: `${(part ?? 0.02) * 100}%` }} />
        </div>
        <p className="note">{t("build.keepWorking")}</p>
        <Button icon="stop" onClick={() => void cancelBuild(app, build.id)}>{t("action.build.cancel")}</Button>
      </div>
      {epochs.length > 0 && (
        <div className="charts">
          <Chart title={t("build.lossCurve")} values={epochs.map((e) => e.loss)} format={(v) => v.toFixed(2)} width={width} height={height} end={end} tone="quiet" />
          <Chart title={t("build.accuracyCurve")} values={epochs.flatMap((e) => (e.accuracy === null ? [] : [e.accuracy]))} format={(v) => percent(v, 0)} width={width} height={height} end={end} low={0} high={1} />
        </div>
      )}
    </div>
  );
}
