import { useDetail, useLabelIndex, useLabels, useView } from "@/api/queries";
import type { Detail, HistoryEntry } from "@/api/types";
import { known, useT } from "@/i18n";
import { perform } from "@/state/actions";
import { type App, useApp } from "@/state/app";
import { NO_SELECTION } from "@/state/selection";
import { useStore } from "@/state/store";
import { doubt } from "@/state/verbs";
import { withFilters } from "@/state/view";
import { IconButton, Link } from "@/ui/Button";
import { Sparkline } from "@/ui/Curve";
import { day, two } from "@/ui/format";
import { Keycaps } from "@/ui/Keycaps";
import { LabelName } from "@/ui/LabelName";
import { Mark } from "@/ui/Mark";
import { Picture } from "@/ui/Picture";
import { Spoken } from "@/ui/Spoken";
import { Delayed, Failure } from "@/ui/States";

function actionNamed(app: App, name: string) {
  return () => perform(app, name);
}

function Facts({ detail }: { detail: Detail }) {
  const t = useT();
  const app = useApp();
  const { item } = detail;
  const other = doubt(item);
  return (
    <dl className="facts">
      <dt>{t("inspector.given")}</dt>
      <dd>
        <Link onClick={() => app.filter(withFilters({ label: [item.given ?? ""] }))}><LabelName name={item.given} /></Link>
        {item.edited && <span className="fact-note"><i className="dot" />{t("tile.edited")}</span>}
        {!item.edited && item.reviewed && <span className="fact-note">{t("tile.reviewed")}</span>}
      </dd>
      {item.prediction !== null && (
        <>
          <dt>{t("inspector.program")}</dt>
          <dd className={other ? "fact-doubt" : undefined}>
            <Link onClick={() => app.filter(withFilters({ prediction: [item.prediction!] }))}><LabelName name={item.prediction} /></Link>
            {item.probability !== null && <span className="fact-number">{two(item.probability)}</span>}
          </dd>
        </>
      )}
      {item.loss !== null && (
        <>
          <dt>{t("inspector.loss")}</dt>
          <dd>
            {two(item.loss)}
            <Sparkline values={detail.losses} width={104} height={20} label={t("inspector.losses", { losses: detail.losses.map(two).join(", ") })} />
          </dd>
        </>
      )}
    </dl>
  );
}

function Verbs({ detail }: { detail: Detail }) {
  const t = useT();
  const app = useApp();
  const { item } = detail;
  if (item.reviewed) return null;
  const other = doubt(item);
  return (
    <div className="verbs">
      {other && (
        <button type="button" className="verb verb-accept" onClick={actionNamed(app, "label.accept")}>
          {t("inspector.make")} <LabelName name={other} /> <Keycaps keys="Enter" />
        </button>
      )}
      <button type="button" className="verb" onClick={actionNamed(app, "label.keep")}>
        {t("inspector.keep")} <LabelName name={item.given} /> <Keycaps keys="x" />
      </button>
    </div>
  );
}

function Probabilities({ detail }: { detail: Detail }) {
  const t = useT();
  const app = useApp();
  const labels = useLabels();
  if (!detail.probabilities.length) return null;
  return (
    <section className="block">
      <h3>{t("inspector.probabilities")}</h3>
      {detail.probabilities.slice(0, 5).map(({ label, value }) => {
        const key = labels.find((one) => one.name === label)?.key ?? "";
        return (
          <button
            key={label}
            type="button"
            className="chance"
            data-given={label === detail.item.given || undefined}
            title={t("action.label.set", { label })}
            onClick={actionNamed(app, `label.set.${label}`)}
          >
            <span className="chance-parts">
              <span className="chance-name"><Spoken phrase={(gap) => t("action.label.set", { label: gap })}><LabelName name={label} /></Spoken></span>
              <span className="chance-bar"><i style={{ width: `${value * 100}%` }} /></span>
              <span className="chance-number">{two(value)}</span>
              {key ? <kbd>{key}</kbd> : <span />}
            </span>
          </button>
        );
      })}
    </section>
  );
}

/** How often each label occurs, most often first. */
export function votes(labels: readonly (string | null)[]): [string | null, number][] {
  const counts = new Map<string | null, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function Neighbours({ detail }: { detail: Detail }) {
  const t = useT();
  const app = useApp();
  const indexOf = useLabelIndex();
  const nearest = detail.neighbours.slice(0, 5);
  if (!nearest.length) return null;
  const go = (id: string) => {
    app.go({ id }, "push");
    app.selection.set({ ...NO_SELECTION, current: id, chosen: true });
  };
  return (
    <section className="block">
      <h3>{t("inspector.neighbours")}</h3>
      <div className="neighbours">
        {nearest.map((near) => {
          return (
            <button
              key={near.id}
              type="button"
              className="neighbour"
              title={t("inspector.neighbour", { id: near.id, label: near.given ?? "", distance: two(near.distance), split: known("split", near.split) })}
              onClick={() => go(near.id)}
            >
              <Picture src={near.thumb} alt={near.id} />
              <Mark index={indexOf(near.given)} title={near.given ?? t("label.none")} />
            </button>
          );
        })}
      </div>
      <p className="votes">
        {votes(nearest.map((near) => near.given)).map(([label, count]) => (
          <span key={label} className="vote"><LabelName name={label} /><b>{count}</b></span>
        ))}
      </p>
    </section>
  );
}

function Entry({ entry }: { entry: HistoryEntry }) {
  const t = useT();
  const app = useApp();
  return (
    <li>
      <span className="entry-change">
        {entry.old !== entry.new && entry.old !== null && <><LabelName name={entry.old} /><span aria-hidden="true">→</span><span className="sr">{t("label.to")}</span></>}
        {entry.old === entry.new ? t("inspector.kept") : null}
        <LabelName name={entry.new} />
      </span>
      <span className="entry-who">
        {[entry.by, day(entry.at)].filter(Boolean).join(" · ")}
        {" · "}
        {entry.commit
          ? <Link onClick={() => app.go({ view: "history", commit: entry.commit })}>{t("inspector.committed")}</Link>
          : <Link className="entry-open" onClick={() => app.go({ view: "pending" })}>{t("inspector.notCommitted")}</Link>}
      </span>
      {entry.why && <span className="entry-why">{known("why", entry.why)}</span>}
    </li>
  );
}

/** The finding in the reader's language where the catalogue has its code, else in the server's words. */
function findingText(detail: Detail): string {
  const { item, message } = detail;
  if (!item.finding) return message;
  // The server quotes names as a terminal does.
  return known("findingText", item.finding, message.replaceAll("`", ""));
}

export function Inspector() {
  const t = useT();
  const app = useApp();
  const id = useView("id");
  const selected = useStore(app.selection, (now) => now.selected.size);
  const detail = useDetail(id);
  const close = <IconButton name={t("action.toggle.inspector")} keys="i" icon="cross" side="left" onClick={() => app.prefs.set((now) => ({ ...now, inspector: false }))} />;
  const head = <header className="side-head"><h2>{t("inspector.name")}</h2>{close}</header>;
  if (id === null) return <>{head}<p className="note side-line">{t("inspector.nothing")}</p></>;
  if (detail.isError && !detail.data) return <>{head}<Failure error={detail.error} again={() => void detail.refetch()} /></>;
  const data = detail.data;
  if (!data) return <>{head}<Delayed><div className="skeleton inspector-skeleton" /></Delayed></>;
  const { item } = data;
  const finding = findingText(data);
  return (
    <>
      {head}
      <div className="side-body inspector" data-testid="inspector" data-old={detail.isPlaceholderData || undefined}>
        {selected > 1 && <p className="note">{t("inspector.selection", { count: selected })}</p>}
        <button type="button" className="inspector-picture" aria-label={t("action.view.big")} onClick={actionNamed(app, "view.big")}>
          <Picture key={item.id} src={item.media} width={item.width} height={item.height} alt={item.id} eager />
        </button>
        <Facts detail={data} />
        {selected < 2 && <Verbs detail={data} />}
        {detail.isError && <p className="note">{t("error.gone")}</p>}
        {finding && <p className="finding"><b>{item.finding}</b> {finding}</p>}
        <Probabilities detail={data} />
        <Neighbours detail={data} />
        <section className="block">
          <h3>{t("inspector.history")}</h3>
          {data.history.length === 0 && !detail.isError && <p className="note">{t("inspector.noHistory")}</p>}
          <ul className="entries">{[...data.history].sort((a, b) => b.at - a.at).map((entry, k) => <Entry key={k} entry={entry} />)}</ul>
        </section>
        <p className="inspector-id">
          <span className="selectable">{item.id}</span>
          <span>{known("split", item.split)} · {item.width} × {item.height}</span>
        </p>
      </div>
    </>
  );
}
