import { useSession, useView } from "@/api/queries";
import { useT } from "@/i18n";
import { useApp } from "@/state/app";
import { VIEWS, type ViewName } from "@/state/view";
import { IconButton } from "@/ui/Button";
import { int } from "@/ui/format";
import type { IconName } from "@/ui/Icon";

const ICONS: Record<ViewName, IconName> = {
  explore: "grid", problems: "warning", pending: "pencil", history: "branch", build: "play", settings: "gear",
};

export function ActivityBar() {
  const t = useT();
  const app = useApp();
  const view = useView("view");
  const session = useSession().data;
  const counts: Partial<Record<ViewName, number>> = { pending: session?.pending };
  return (
    <nav className="activity" aria-label={t("activity.name")}>
      {VIEWS.map((one, place) => {
        const count = counts[one] ?? 0;
        return (
          <IconButton
            key={one}
            name={count ? t("activity.with", { view: t(`view.${one}`), count }) : t(`view.${one}`)}
            icon={ICONS[one]}
            side="right"
            keys={`Alt+${place + 1}`}
            className={`activity-${one}`}
            aria-current={view === one ? "page" : undefined}
            onClick={() => {
              if (view !== one) return app.go({ view: one, big: false });
              app.prefs.set((now) => ({ ...now, side: !now.side }));
            }}
          >
            {count > 0 && <span className="badge" aria-hidden="true">{count > 999 ? "999+" : int(count)}</span>}
          </IconButton>
        );
      })}
    </nav>
  );
}
