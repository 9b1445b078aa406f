import { useT } from "@/i18n";
import { type Action, GROUPS } from "@/state/actions";
import { useApp } from "@/state/app";
import { useStore } from "@/state/store";
import { Dialog } from "@/ui/Dialog";
import { Keycaps } from "@/ui/Keycaps";

/** Every key, from the registry that also carries them out. */
export function KeysSheet() {
  const t = useT();
  const app = useApp();
  const open = useStore(app.ui, (ui) => ui.keys);
  const close = () => {
    app.ui.set((ui) => ({ ...ui, keys: false }));
    app.list.get()?.focus();
  };
  const withKeys = (group: Action["group"]) => app.actions().filter((action) => action.group === group && action.keys.length);
  return (
    <Dialog open={open} onClose={close} label={t("action.help.keys")} title closeName={t("keys.close")} className="dialog-keys">
      <p className="note">{t("keys.rule")}</p>
      <div className="keys-sheet">
        {GROUPS.map((group) => {
          const actions = withKeys(group);
          return actions.length > 0 && (
            <section key={group}>
              <h3>{t(`group.${group}`)}</h3>
              <dl>
                {actions.map((action) => (
                  <div key={action.name}>
                    <dt>{action.title(app)}</dt>
                    <dd>{action.keys.slice(0, 2).map((keys) => <Keycaps key={keys} keys={keys} />)}</dd>
                  </div>
                ))}
              </dl>
            </section>
          );
        })}
        <section>
          <h3>{t("group.mouse")}</h3>
          <dl>
            {(["click", "ctrl", "shift", "double", "right", "drag"] as const).map((gesture) => (
              <div key={gesture}><dt>{t(`mouse.${gesture}.does`)}</dt><dd>{t(`mouse.${gesture}`)}</dd></div>
            ))}
          </dl>
        </section>
      </div>
    </Dialog>
  );
}
