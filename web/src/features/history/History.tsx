import { useState } from "react";
import { useLog, useSession, useView } from "@/api/queries";
import type { CommitInfo } from "@/api/types";
import { useChanges } from "@/api/useChanges";
import { useT } from "@/i18n";
import { useApp } from "@/state/app";
import { Link } from "@/ui/Button";
import { DiffGrid, PairList, pairKey } from "@/ui/DiffGrid";
import { day, short } from "@/ui/format";
import { Delayed, Empty, Failure, SkeletonRows } from "@/ui/States";

export function commitMatches(commit: CommitInfo, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return [commit.message, commit.author, commit.id].some((part) => part.toLowerCase().includes(wanted));
}

export function HistorySide() {
  const t = useT();
  const app = useApp();
  const log = useLog();
  const chosen = useView("commit");
  const [text, setText] = useState("");
  const shown = (log.data ?? []).filter((commit) => commitMatches(commit, text));
  const open = chosen ?? log.data?.[0]?.id;
  return (
    <>
      <header className="side-head"><h2>{t("view.history")}</h2></header>
      <div className="side-search">
        <input value={text} aria-label={t("history.filter")} placeholder={t("history.filter")} onChange={(event) => setText(event.currentTarget.value)} />
      </div>
      <div className="side-body">
        {log.isPending && <SkeletonRows count={6} height={48} />}
        {log.isError && !log.data && <Failure error={log.error} again={() => void log.refetch()} />}
        {log.data?.length === 0 && <p className="note side-line">{t("history.none")}</p>}
        {log.data && log.data.length > 0 && shown.length === 0 && (
          <p className="note side-line">{t("history.noMatch")} <Link className="link-accent" onClick={() => setText("")}>{t("history.clear")}</Link></p>
        )}
        <ul className="commits">
          {shown.map((commit) => (
            <li key={commit.id}>
              <button type="button" className="commit-row" aria-current={commit.id === open || undefined} onClick={() => app.go({ commit: commit.id })}>
                <span className="commit-title">{commit.message.split("\n")[0]}</span>
                <span className="commit-facts">{commit.author} · {day(commit.at)} · {t("history.edits", { count: commit.edits })}</span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}

export function History() {
  const t = useT();
  const app = useApp();
  const log = useLog();
  const session = useSession();
  const wanted = useView("commit");
  const [pair, setPair] = useState<string | null>(null);
  const id = wanted ?? log.data?.[0]?.id ?? null;
  const changes = useChanges(["changes", id], (offset, limit) => app.client.changes(id!, offset, limit), id !== null);
  const commit = log.data?.find((one) => one.id === id);
  if (log.data?.length === 0) return <Empty icon="branch" title={t("history.none")}>{t("history.noneHint")}</Empty>;
  if (changes.error && !changes.summary) return <Failure error={changes.error} again={changes.again} />;
  if (!changes.summary) return <Delayed><Empty title={t("state.loading")} /></Delayed>;
  const [title, ...rest] = (commit?.message ?? "").split("\n");
  const shown = pair ? changes.items.filter((one) => pairKey(one.old, one.new) === pair) : changes.items;
  return (
    <section className="grid" aria-label={t("view.history")}>
      {commit && (
        <div className="toolbar commit-head">
          <h2>{title}</h2>
          {rest.join("\n").trim() && <p className="commit-rest">{rest.join("\n").trim()}</p>}
          <p className="note">
            <span className="selectable">{short(commit.id)}</span> · {commit.author} · {day(commit.at)} · {t("history.edits", { count: commit.edits })}
            {session.data?.program?.commit === commit.id && <> · <Link className="link-accent" onClick={() => app.go({ view: "build" })}>{t("history.built")}</Link></>}
          </p>
          <PairList pairs={changes.summary.by_pair} chosen={pair} onChoose={setPair} />
        </div>
      )}
      <div className="grid-body">
        <DiffGrid items={shown} label={t("view.history")} empty={<Empty icon="grid" title={t("history.noChanges")}>{t("history.noChangesHint")}</Empty>} />
      </div>
    </section>
  );
}
