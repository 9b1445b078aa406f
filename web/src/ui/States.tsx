import { type ReactNode, useEffect, useState } from "react";
import { Refused, Unreachable } from "@/api/client";
import { useT } from "@/i18n";
import { Button } from "./Button";
import { Icon, type IconName } from "./Icon";

/** What an empty panel will show, and the one action that fills it. */
export function Empty({ icon, title, children, action }: {
  icon?: IconName;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="empty">
      {icon && <Icon name={icon} size={24} />}
      <p className="empty-title">{title}</p>
      {children && <div className="empty-text">{children}</div>}
      {action && <div className="empty-action">{action}</div>}
    </div>
  );
}

/** What went wrong, in the server's words, and how to mend it. */
export function Failure({ error, again }: { error: unknown; again: () => void }) {
  const t = useT();
  const retry = <Button onClick={again}>{t("error.again")}</Button>;
  if (error instanceof Unreachable) {
    return <Empty icon="plug" title={t("error.gone")} action={retry}>{t("error.goneHint")}</Empty>;
  }
  if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
    return <Empty icon="plug" title={t("error.token")} action={retry}>{t("error.tokenHint")}</Empty>;
  }
  const text = error instanceof Error ? error.message : String(error);
  return <Empty icon="warning" title={text} action={retry}>{error instanceof Refused ? error.hint : null}</Empty>;
}

/** Shows what waits only when the wait is long enough to be noticed. */
export function Delayed({ ms = 300, children }: { ms?: number; children: ReactNode }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return late ? children : null;
}

/** Grey rows of the right size in place of a list that is on its way. */
export function SkeletonRows({ count, height }: { count: number; height: number }) {
  const t = useT();
  return (
    <Delayed>
      <div className="skeleton-rows" role="status" aria-label={t("state.loading")}>
        {Array.from({ length: count }, (_, k) => <div key={k} className="skeleton" style={{ height: height - 8 }} />)}
      </div>
    </Delayed>
  );
}
