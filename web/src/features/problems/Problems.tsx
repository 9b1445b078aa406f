import { useFacets, useView } from "@/api/queries";
import { known, useT } from "@/i18n";
import { useApp } from "@/state/app";
import { NO_FILTERS, withFilters } from "@/state/view";
import { Link } from "@/ui/Button";
import { int } from "@/ui/format";
import { Keycaps } from "@/ui/Keycaps";
import { ProblemList } from "./ProblemList";
import { useProblems } from "./useProblems";

export function ProblemsSide() {
  const t = useT();
  const app = useApp();
  const code = useView("code");
  const codes = (useFacets(NO_FILTERS).data?.facets ?? []).find((facet) => facet.name === "finding")?.values ?? [];
  const real = codes.filter((one) => one.value !== "none");
  return (
    <>
      <header className="side-head">
        <h2>{t("view.problems")}</h2>
        {code && <Link className="link-accent" onClick={() => app.go({ code: null })}>{t("explore.all")}</Link>}
      </header>
      <div className="side-body">
        <h3>{t("problems.kinds")}</h3>
        {real.map(({ value, total }) => (
          <button key={value} type="button" className="facet-row code-row" aria-pressed={code === value} onClick={() => app.go({ code: code === value ? null : value })}>
            <span className="facet-name"><b className="problem-code">{value}</b> <span className="facet-text">{known("finding", value)}</span></span>
            <span className="facet-count">{int(total)}</span>
          </button>
        ))}
        {real.length === 0 && <p className="note side-line">{t("problems.noneShort")}</p>}
        {real.length > 0 && (
          <p className="side-line"><Link className="link-accent" onClick={() => app.filter(withFilters({ finding: code ? [code] : real.map((one) => one.value) }))}>{t("problems.asGrid")}</Link></p>
        )}
      </div>
    </>
  );
}

export function Problems() {
  const t = useT();
  const code = useView("code");
  const { head } = useProblems(code);
  return (
    <section className="grid" aria-label={t("view.problems")}>
      <div className="toolbar">
        <div className="toolbar-line">
          <span className="counts"><b>{int(head?.open ?? 0)}</b> {t("problems.open", { total: int(head?.total ?? 0) })}</span>
          <span className="space" />
          <span className="hint"><Keycaps keys="Enter" /> {t("key.accept")} <Keycaps keys="x" /> {t("key.keep")} <Keycaps keys="Space" /> {t("key.later")} <Keycaps keys="z" /> {t("key.undo")}</span>
        </div>
      </div>
      <ProblemList code={code} tall />
    </section>
  );
}
