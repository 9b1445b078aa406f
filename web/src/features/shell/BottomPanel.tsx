import type { KeyboardEvent } from "react";
import { useSession } from "@/api/queries";
import { BuildPanel, OutputPanel, useRunning } from "@/features/build";
import { ProblemList } from "@/features/problems";
import { useT } from "@/i18n";
import { useApp } from "@/state/app";
import { PANELS, type PanelName } from "@/state/prefs";
import { useStore } from "@/state/store";
import { IconButton } from "@/ui/Button";
import { int, percent } from "@/ui/format";
import { Resizer } from "@/ui/Resizer";

export function BottomPanel() {
  const t = useT();
  const app = useApp();
  const prefs = useStore(app.prefs);
  const session = useSession().data;
  const running = useRunning();
  const open = (panelTab: PanelName) => app.prefs.set((now) => ({ ...now, panel: true, panelTab }));
  const step = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = PANELS[(PANELS.indexOf(prefs.panelTab) + by + PANELS.length) % PANELS.length]!;
    open(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  const progress = running?.progress;
  const badge: Record<PanelName, string> = {
    problems: session?.findings ? int(session.findings) : "",
    build: progress?.total ? percent(progress.done / progress.total, 0) : "",
    output: "",
  };
  return (
    <section className="panel" style={{ height: prefs.panel ? prefs.panelHeight : 28 }} aria-label={t("panel.name")}>
      {prefs.panel && (
        <Resizer label={t("panel.resize")} value={prefs.panelHeight} min={96} max={520} onChange={(panelHeight) => app.prefs.set((now) => ({ ...now, panelHeight }))} />
      )}
      <div className="panel-head">
        <div role="tablist" aria-label={t("panel.name")} className="tabs" onKeyDown={step}>
          {PANELS.map((panel) => {
            const chosen = prefs.panel && prefs.panelTab === panel;
            return (
              <button
                key={panel}
                id={`tab-${panel}`}
                type="button"
                role="tab"
                aria-selected={chosen}
                aria-controls="panel-body"
                tabIndex={prefs.panelTab === panel ? 0 : -1}
                data-testid={`panel-${panel}`}
                onClick={() => (chosen ? app.prefs.set((now) => ({ ...now, panel: false })) : open(panel))}
              >
                {t(`panel.${panel}`)}{badge[panel] && <span className="tab-count">{badge[panel]}</span>}
              </button>
            );
          })}
        </div>
        <IconButton
          name={t("action.toggle.panel")} keys="j" icon={prefs.panel ? "chevronDown" : "chevronUp"} side="top"
          onClick={() => app.prefs.set((now) => ({ ...now, panel: !now.panel }))}
        />
      </div>
      {prefs.panel && (
        <div className="panel-body" id="panel-body" role="tabpanel" aria-labelledby={`tab-${prefs.panelTab}`}>
          {prefs.panelTab === "problems" && <ProblemList code={null} tall={false} />}
          {prefs.panelTab === "build" && <BuildPanel />}
          {prefs.panelTab === "output" && <OutputPanel />}
        </div>
      )}
    </section>
  );
}
