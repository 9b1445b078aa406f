import type { BuildReport } from "@/api/types";
import { useLabelIndex } from "@/api/queries";
import { useT } from "@/i18n";
import { useApp } from "@/state/app";
import { withFilters } from "@/state/view";
import { Link } from "@/ui/Button";
import { int, percent } from "@/ui/format";
import { LabelName } from "@/ui/LabelName";
import { Mark } from "@/ui/Mark";

/** Rows: the given label; columns: what the program says. A cell leads to its examples. */
export function Confusion({ report }: { report: BuildReport }) {
  const t = useT();
  const app = useApp();
  const indexOf = useLabelIndex();
  const { labels, confusion } = report;
  if (!confusion.length) return null;
  const most = Math.max(1, ...confusion.flatMap((row, i) => row.filter((_, j) => i !== j)));
  return (
    <section className="block">
      <h3>{t("build.confusion")}</h3>
      <p className="note">{t("build.confusionHint")}</p>
      <table className="confusion">
        <thead>
          <tr>
            <th scope="col"><span className="sr">{t("inspector.given")}</span></th>
            {labels.map((label) => <th key={label} scope="col" title={label}><Mark index={indexOf(label)} title={label} /></th>)}
          </tr>
        </thead>
        <tbody>
          {confusion.map((row, i) => (
            <tr key={labels[i]}>
              <th scope="row"><LabelName name={labels[i] ?? ""} /></th>
              {row.map((count, j) => {
                const words = t("build.cell", { given: labels[i] ?? "", said: labels[j] ?? "", count, number: int(count) });
                const share = i === j ? 0 : count / most;
                return (
                  <td key={labels[j]}>
                    {count > 0 ? (
                      <button
                        type="button"
                        title={words}
                        aria-label={words}
                        data-diagonal={i === j || undefined}
                        style={i === j ? undefined : { backgroundColor: `color-mix(in srgb, var(--doubt-cell) ${Math.round(14 + share * 34)}%, transparent)` }}
                        onClick={() => app.filter(withFilters({ label: [labels[i]!], prediction: [labels[j]!], split: ["test"] }))}
                      >{count}</button>
                    ) : <span aria-hidden="true">·</span>}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Share({ value }: { value: number | null }) {
  if (value === null) return <td className="share">–</td>;
  return <td className="share"><span className="share-bar" aria-hidden="true"><i style={{ width: `${value * 100}%` }} /></span>{percent(value, 0)}</td>;
}

export function Classes({ report }: { report: BuildReport }) {
  const t = useT();
  const app = useApp();
  if (!report.classes.length) return null;
  return (
    <section className="block">
      <h3>{t("build.classes")}</h3>
      <table className="classes">
        <thead>
          <tr>
            <th scope="col">{t("facet.label")}</th>
            <th scope="col" title={t("build.recallHint")}>{t("build.recall")}</th>
            <th scope="col" title={t("build.precisionHint")}>{t("build.precision")}</th>
            <th scope="col">{t("build.support")}</th>
          </tr>
        </thead>
        <tbody>
          {report.classes.map((figure) => (
            <tr key={figure.label}>
              <th scope="row"><Link onClick={() => app.filter(withFilters({ label: [figure.label] }))}><LabelName name={figure.label} /></Link></th>
              <Share value={figure.recall} />
              <Share value={figure.precision} />
              <td className="number"><Link onClick={() => app.filter(withFilters({ label: [figure.label], split: ["test"] }))}>{int(figure.support)}</Link></td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
