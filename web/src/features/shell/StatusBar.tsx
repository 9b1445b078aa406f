import { useEffect, useState } from "react";
import { useSession } from "@/api/queries";
import type { Session } from "@/api/types";
import { useT } from "@/i18n";
import { perform } from "@/state/actions";
import { useApp } from "@/state/app";
import { useStore } from "@/state/store";
import { withFilters } from "@/state/view";
import { Button } from "@/ui/Button";
import { clock, int, percent, plusMinus, short } from "@/ui/format";
import { Icon } from "@/ui/Icon";
import { Keycaps } from "@/ui/Keycaps";

function Item({ label, testId, className = "", onClick, children }: {
  label?: string;
  testId?: string;
  className?: string;
  onClick: () => void;
  children: React.ReactNode;
}) {
  return <button type="button" className={`status-item ${className}`} title={label} data-testid={testId} onClick={onClick}>{children}</button>;
}

/** A second's clock that runs only while something is waited for. */
function useSeconds(until: number | null): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (until === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  return until === null ? 0 : Math.max(0, Math.ceil((until - now) / 1000));
}

function Connection() {
  const t = useT();
  const app = useApp();
  const wire = useStore(app.wire);
  const queue = useStore(app.queue.store);
  const seconds = useSeconds(queue.retryAt);
  const waiting = queue.waiting.length;
  const gone = wire === "closed" || !queue.reachable;
  if (!gone && !queue.stuck) return null;
  const first = gone ? t("status.gone") : t("status.stuck", { why: queue.stuck?.message ?? "" });
  return (
    <Item testId="connection" className="status-doubt" label={queue.stuck?.hint || t("status.tryNow")} onClick={() => app.queue.wake()}>
      <Icon name="plug" size={14} />
      {first}
      {waiting > 0 && <> · {t("status.wait", { count: waiting })}</>}
      {waiting > 0 && seconds > 0 && <span className="status-quiet"> · {t("status.again", { seconds })}</span>}
    </Item>
  );
}

/** "Saved" is said only of what is on the disk. */
function Saved({ session }: { session: Session }) {
  const t = useT();
  const app = useApp();
  const waiting = useStore(app.queue.store, (now) => now.waiting.length);
  const answered = useStore(app.answered);
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!waiting) return setSlow(false);
    const timer = setTimeout(() => setSlow(true), 300);
    return () => clearTimeout(timer);
  }, [waiting]);
  const saving = waiting > 0 && slow;
  const at = Math.max(session.saved_at ?? 0, answered);
  if (!at && !saving) return <span data-testid="statusbar-saved" />;
  return (
    <Item testId="statusbar-saved" label={t("status.savedHint")} onClick={() => app.go({ view: "explore", order: "recent" })}>
      {saving ? t("status.saving", { count: waiting }) : <><Icon name="check" size={12} />{t("status.saved", { time: clock(at) })}</>}
    </Item>
  );
}

function Program({ session }: { session: Session }) {
  const t = useT();
  const app = useApp();
  const { program } = session;
  return (
    <Item testId="statusbar-program" label={t("status.programHint")} onClick={() => app.go({ view: "build", build: program?.build ?? null })}>
      <Icon name="play" size={12} />
      {program ? (
        <>{program.name} <span className="status-quiet status-build">{short(program.build)}</span> {percent(program.accuracy)} <span className="status-quiet">{plusMinus(program.interval)}</span></>
      ) : t("status.noProgram")}
    </Item>
  );
}

/** What was just done, in the place for it: nothing pops up over the data. */
function MessageLine() {
  const app = useApp();
  const message = useStore(app.message);
  return (
    <div className={`message message-${message?.tone ?? "quiet"}`} data-testid="message">
      <span role="status" aria-live="polite" title={message?.text}>{message?.text ?? ""}</span>
      {message?.choices?.map((choice, k) => (
        <Button key={choice.text} kind={k === 0 ? "primary" : "quiet"} autoFocus={k === 0} onClick={choice.run}>{choice.text}</Button>
      ))}
    </div>
  );
}

const THEME_ICON = { auto: "half", light: "sun", dark: "moon" } as const;

export function StatusBar() {
  const t = useT();
  const app = useApp();
  const session = useSession().data;
  const prefs = useStore(app.prefs);
  const other = prefs.language === "en" ? "zh" : "en";
  return (
    <footer className="status" aria-label={t("status.name")}>
      {session && (
        <>
          <Item label={t("status.branchHint", { path: session.path })} onClick={() => app.go({ view: "history" })}>
            <Icon name="branch" size={14} />{session.branch}
          </Item>
          <Item testId="statusbar-pending" label={t("status.pendingHint")} onClick={() => app.go({ view: "pending", big: false })}>
            <Icon name="pencil" size={14} />{t("status.pending", { count: session.pending, number: int(session.pending) })}
          </Item>
          <Saved session={session} />
        </>
      )}
      <Connection />
      <MessageLine />
      {session && (
        <>
          {session.planted && (
            <Item testId="planted" label={t("status.plantedHint")} onClick={() => app.filter(withFilters({ state: ["reviewed"] }))}>
              {t("status.planted", { fixed: int(session.planted.fixed), total: int(session.planted.total) })}
            </Item>
          )}
          <Program session={session} />
        </>
      )}
      <Item label={t("action.look.language")} onClick={() => perform(app, "look.language")}>{t(`language.${other}`)}</Item>
      <Item label={t(`theme.${prefs.theme}`)} onClick={() => perform(app, "look.theme")}>
        <Icon name={THEME_ICON[prefs.theme]} size={14} /><span className="sr">{t("action.look.theme")}</span>
      </Item>
      <Item label={t("action.help.keys")} onClick={() => perform(app, "help.keys")}><Keycaps keys="?" /> {t("status.keys")}</Item>
    </footer>
  );
}
