import { useMemo } from "react";
import type { Changes } from "@/api/types";
import { useChanges } from "@/api/useChanges";
import { useT } from "@/i18n";
import { perform } from "@/state/actions";
import { type App, useApp } from "@/state/app";
import { createStore, useStore } from "@/state/store";
import { withFilters } from "@/state/view";
import { Button, Link } from "@/ui/Button";
import { DiffGrid, PairList, pairKey } from "@/ui/DiffGrid";
import { Keycaps } from "@/ui/Keycaps";
import { Delayed, Empty, Failure } from "@/ui/States";
import { commitEdits } from "./actions/commit";
import { commitMessage } from "./message";

/** What was typed and which pair is shown outlive a look at another view. `null` is "as proposed". */
const draft = createStore<{ message: string | null; pair: string | null; busy: boolean }>({ message: null, pair: null, busy: false });

const relabelled = (changes: Changes) => changes.by_pair.reduce((sum, [, , count]) => sum + (count as number), 0);

const usePending = () => {
  const { client } = useApp();
  return useChanges(["pending"], (offset, limit) => client.pending(offset, limit));
};

async function commit(app: App, message: string, build: boolean): Promise<void> {
  draft.set((now) => ({ ...now, busy: true }));
  const done = await commitEdits(app, message);
  draft.set((now) => ({ message: done ? null : now.message, pair: null, busy: false }));
  if (done && build) perform(app, "build.start");
}

function CommitBox({ proposed, rows }: { proposed: string; rows: number }) {
  const t = useT();
  const app = useApp();
  const { message, busy } = useStore(draft);
  const text = message ?? proposed;
  const ready = !busy && rows > 0 && text.trim() !== "";
  return (
    <form
      className="commit"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) void commit(app, text.trim(), false);
      }}
    >
      <label htmlFor="commit-message">{t("pending.message")}</label>
      <textarea
        id="commit-message"
        data-testid="commit-message"
        rows={4}
        value={text}
        onChange={(event) => draft.set((now) => ({ ...now, message: event.currentTarget.value }))}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && ready) void commit(app, text.trim(), false);
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      <div className="commit-buttons">
        <Button kind="primary" data-testid="commit-button" disabled={!ready} type="submit">{t("pending.commit")}</Button>
        <Button data-testid="commit-and-build" disabled={!ready} onClick={() => void commit(app, text.trim(), true)}>{t("pending.commitAndBuild")}</Button>
      </div>
      <p className="note"><Keycaps keys="Mod+Enter" /> {t("pending.commitKey")}</p>
    </form>
  );
}

export function PendingSide() {
  const t = useT();
  const app = useApp();
  const { summary } = usePending();
  const { pair } = useStore(draft);
  const proposed = useMemo(() => (summary ? commitMessage(summary) : ""), [summary]);
  const rows = (summary?.rows ?? 0) + (summary?.reviewed ?? 0);
  return (
    <>
      <header className="side-head"><h2>{t("view.pending")}</h2></header>
      <div className="side-body">
        {rows > 0 && summary && (
          <>
            <CommitBox proposed={proposed} rows={rows} />
            {summary.by_pair.length > 0 && <h3>{t("pending.relabelled")}</h3>}
            <PairList pairs={summary.by_pair} chosen={pair} onChoose={(next) => draft.set((now) => ({ ...now, pair: next }))} />
            {summary.reviewed > 0 && (
              <p className="side-line">
                <Link onClick={() => app.filter(withFilters({ state: ["edited"] }))}>{t("pending.reviewed", { count: summary.reviewed })}</Link>
              </p>
            )}
          </>
        )}
        {summary && rows === 0 && <p className="note side-line">{t("pending.noneShort")}</p>}
      </div>
    </>
  );
}

export function Pending() {
  const t = useT();
  const app = useApp();
  const { summary, items, error, pending, again } = usePending();
  const { pair } = useStore(draft);
  const shown = useMemo(() => (pair ? items.filter((one) => pairKey(one.old, one.new) === pair) : items), [items, pair]);
  if (error && !summary) return <Failure error={error} again={again} />;
  if (pending || !summary) return <Delayed><Empty title={t("state.loading")} /></Delayed>;
  const back = <Button kind="primary" onClick={() => app.go({ view: "explore" })}>{t("pending.toExplore")}</Button>;
  if (summary.rows + summary.reviewed === 0) {
    return <Empty icon="pencil" title={t("pending.none")} action={back}>{t("pending.noneHint")}</Empty>;
  }
  const undo = () => perform(app, "label.undo");
  return (
    <section className="grid" aria-label={t("view.pending")}>
      <div className="toolbar">
        <div className="toolbar-line">
          <span className="counts">{t("pending.summary", { count: relabelled(summary), reviewed: summary.reviewed })}</span>
          <span className="space" />
          {app.session()?.can_undo && <Button kind="quiet" icon="undo" onClick={undo}>{t("action.label.undo")} <Keycaps keys="z" /></Button>}
        </div>
      </div>
      <div className="grid-body">
        <DiffGrid
          items={shown}
          label={t("view.pending")}
          empty={
            <Empty icon="check" title={t("pending.onlyReviewed", { count: summary.reviewed })} action={
              <Button onClick={() => app.filter(withFilters({ state: ["edited"] }))}>{t("pending.showReviewed")}</Button>
            } />
          }
        />
      </div>
    </section>
  );
}
