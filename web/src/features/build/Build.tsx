import { useBuilds, useReport, useSession, useView } from "@/api/queries";
import type { BuildInfo } from "@/api/types";
import { useT } from "@/i18n";
import { perform } from "@/state/actions";
import { useApp } from "@/state/app";
import { Button, Link } from "@/ui/Button";
import { Chart } from "@/ui/Curve";
import { day, percent, short } from "@/ui/format";
import { Delayed, Empty, Failure, SkeletonRows } from "@/ui/States";
import { Progress } from "./Progress";
import { Classes, Confusion } from "./Tables";
import { Verdict } from "./Verdict";

function NoBuild() {
  const t = useT();
  const app = useApp();
  const rows = app.session()?.rows ?? 0;
  if (!rows) return <Empty icon="play" title={t("explore.noRows")}><code>sw2 add pictures/</code></Empty>;
  return (
    <Empty icon="play" title={t("build.none")} action={<Button kind="primary" onClick={() => perform(app, "build.start")}>{t("explore.firstBuild")}</Button>}>
      {t("build.noneHint")}
    </Empty>
  );
}

/** A build that did not end well says why, and how to go on. */
function Halted({ build }: { build: BuildInfo }) {
  const t = useT();
  const app = useApp();
  const again = <Button kind="primary" onClick={() => perform(app, "build.start")}>{t(build.status === "failed" ? "error.again" : "build.resume")}</Button>;
  const title = build.error?.message ?? t(`build.status.${build.status as "cancelled"}`);
  return (
    <Empty icon={build.status === "failed" ? "warning" : "stop"} title={title} action={again}>
      {build.error?.hint || t("build.resumeHint")}
    </Empty>
  );
}

function useCurrentBuild(id: string | null): { build: BuildInfo | undefined; builds: ReturnType<typeof useBuilds> } {
  const builds = useBuilds();
  return { builds, build: builds.data?.find((one) => one.id === id) ?? builds.data?.[0] };
}

export function BuildSide() {
  const t = useT();
  const app = useApp();
  const id = useView("build");
  const { builds, build } = useCurrentBuild(id);
  return (
    <>
      <header className="side-head"><h2>{t("view.build")}</h2></header>
      <div className="side-body">
        {builds.isPending && <SkeletonRows count={4} height={48} />}
        {builds.data?.length === 0 && <p className="note side-line">{t("build.noneShort")}</p>}
        <ul className="commits">
          {builds.data?.map((one) => (
            <li key={one.id}>
              <button type="button" className="commit-row" aria-current={one.id === build?.id || undefined} onClick={() => app.go({ build: one.id })}>
                <span className="commit-title">{one.commit_message.split("\n")[0]}</span>
                <span className="commit-facts">
                  {day(one.started_at)} · {one.accuracy !== null && one.status === "done" ? percent(one.accuracy) : t(`build.status.${one.status}`)}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}

/** The whole report, in the main area. */
export function Build() {
  const t = useT();
  const app = useApp();
  const id = useView("build");
  const { builds, build } = useCurrentBuild(id);
  const report = useReport(build?.id ?? null);
  if (builds.error && !builds.data) return <Failure error={builds.error} again={() => void builds.refetch()} />;
  if (builds.data && !build) return <NoBuild />;
  if (!build) return <Delayed><Empty title={t("state.loading")} /></Delayed>;
  const data = report.data;
  return (
    <section className="report" aria-label={t("view.build")}>
      <header className="report-head">
        <h2>{build.commit_message.split("\n")[0]}</h2>
        <p className="note">
          <span className="selectable">{short(build.id)}</span> · <Link className="link-accent" onClick={() => app.go({ view: "history", commit: build.commit })}>{t("build.commit", { commit: short(build.commit) })}</Link> · {day(build.started_at)}
        </p>
      </header>
      {build.status === "running" && <Progress build={build} wide />}
      {build.status !== "running" && build.status !== "done" && <div className="report-halted"><Halted build={build} /></div>}
      {build.status === "done" && data && (
        <>
          <div className="report-top">
            <Verdict report={data} />
            {data.epochs.length > 0 && (
              <div className="charts">
                <Chart title={t("build.lossCurve")} values={data.epochs.map((e) => e.loss)} format={(v) => v.toFixed(2)} width={260} height={132} tone="quiet" />
                <Chart title={t("build.accuracyCurve")} values={data.epochs.flatMap((e) => (e.accuracy === null ? [] : [e.accuracy]))} format={(v) => percent(v, 0)} width={260} height={132} low={0} high={1} />
              </div>
            )}
          </div>
          <div className="report-tables">
            <Confusion report={data} />
            <Classes report={data} />
          </div>
        </>
      )}
      {data?.log && (
        <section className="block report-log">
          <h3>{t("panel.output")}</h3>
          <pre className="output" tabIndex={0} aria-label={t("panel.output")}>{data.log}</pre>
        </section>
      )}
    </section>
  );
}

/** The newest build, in the panel below. */
export function BuildPanel() {
  const t = useT();
  const app = useApp();
  const { builds, build } = useCurrentBuild(null);
  const report = useReport(build?.id ?? null);
  if (builds.data && !build) return <NoBuild />;
  if (!build) return <SkeletonRows count={3} height={24} />;
  if (build.status === "running") return <div className="panel-scroll"><Progress build={build} /></div>;
  if (build.status !== "done") return <Halted build={build} />;
  if (!report.data) return <SkeletonRows count={3} height={24} />;
  return (
    <div className="panel-scroll panel-report">
      <Verdict report={report.data}>
        <Link className="link-accent" onClick={() => app.go({ view: "build", build: build.id })}>{t("build.whole")}</Link>
      </Verdict>
    </div>
  );
}

/** What the build wrote, as it wrote it. */
export function OutputPanel() {
  const t = useT();
  const { build } = useCurrentBuild(null);
  const report = useReport(build?.id ?? null);
  if (!build || !report.data) return <Empty title={t("output.none")} />;
  return <pre className="output" tabIndex={0} aria-label={t("panel.output")}>{report.data.log || t("output.none")}</pre>;
}

export function useRunning(): BuildInfo | undefined {
  const builds = useBuilds();
  const session = useSession();
  return builds.data?.find((one) => one.status === "running" && one.id === session.data?.building);
}
