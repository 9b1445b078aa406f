import { useCallback } from "react";
import { useLabels } from "@/api/queries";
import { useT } from "@/i18n";
import type { Action } from "@/state/actions";
import { useApp } from "@/state/app";
import { targets } from "@/state/selection";
import { useStore } from "@/state/store";
import { FloatingItem, FloatingMenu } from "@/ui/FloatingMenu";
import { Keycaps } from "@/ui/Keycaps";
import { Mark } from "@/ui/Mark";

/** The verbs of the keys and the palette, where the mouse is. */
export function ContextMenu() {
  const t = useT();
  const app = useApp();
  const at = useStore(app.ui, (ui) => ui.menu);
  const count = useStore(app.selection, (now) => targets(now).length);
  const labels = useLabels();
  const close = useCallback(() => {
    app.ui.set((ui) => ({ ...ui, menu: null }));
    app.list.get()?.focus();
  }, [app]);
  if (!at) return null;
  const run = (action: Action) => {
    close();
    action.perform(app);
  };
  const verbs = app.actions().filter((action) => action.menu && (action.enabled?.(app) ?? true));
  const byName = new Map(app.actions().map((action) => [action.name, action]));
  return (
    <FloatingMenu x={at.x} y={at.y} label={t("menu.works", { count })} onClose={close}>
      <p role="presentation" className="menu-title">{t("menu.works", { count })}</p>
      {verbs.map((action) => (
        <FloatingItem key={action.name} onClick={() => run(action)}>
          <span>{action.title(app)}</span>
          {action.keys[0] && <Keycaps keys={action.keys[0]} />}
        </FloatingItem>
      ))}
      <p role="presentation" className="menu-title menu-second">{t("menu.labelAs")}</p>
      <div role="group" aria-label={t("menu.labelAs")} className="menu-labels">
        {labels.map((label) => {
          const action = byName.get(`label.set.${label.name}`);
          return action && (
            <FloatingItem key={label.name} onClick={() => run(action)}>
              <Mark index={label.index} /><span>{label.name}</span>
              {label.key && <kbd>{label.key}</kbd>}
            </FloatingItem>
          );
        })}
      </div>
    </FloatingMenu>
  );
}
