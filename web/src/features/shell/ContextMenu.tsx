import { Menu } from "@mantine/core";
import { useSession } from "@/api/queries";
import { useT } from "@/i18n";
import type { Action } from "@/state/actions";
import { useApp } from "@/state/app";
import { targets } from "@/state/selection";
import { useStore } from "@/state/store";
import { Keycaps } from "@/ui/Keycaps";
import { Mark } from "@/ui/Mark";

/** The verbs of the keys and the palette, where the mouse is. */
export function ContextMenu() {
  const t = useT();
  const app = useApp();
  const at = useStore(app.ui, (ui) => ui.menu);
  const count = useStore(app.selection, (now) => targets(now).length);
  const labels = useSession().data?.labels ?? [];
  if (!at) return null;
  const close = () => app.ui.set((ui) => ({ ...ui, menu: null }));
  const run = (action: Action) => {
    close();
    app.list.get()?.focus();
    action.perform(app);
  };
  const verbs = app.actions().filter((action) => action.menu && (action.enabled?.(app) ?? true));
  const byName = new Map(app.actions().map((action) => [action.name, action]));
  return (
    <Menu opened onClose={close} position="bottom-start" offset={2} returnFocus={false} trapFocus>
      <Menu.Target><span className="menu-anchor" style={{ left: at.x, top: at.y }} /></Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("menu.works", { count })}</Menu.Label>
        {verbs.map((action) => (
          <Menu.Item key={action.name} rightSection={action.keys[0] && <Keycaps keys={action.keys[0]} />} onClick={() => run(action)}>{action.title(app)}</Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t("menu.labelAs")}</Menu.Label>
        <div className="menu-labels">
          {labels.map((label) => {
            const action = byName.get(`label.set.${label.name}`);
            return action && (
              <Menu.Item key={label.name} leftSection={<Mark index={label.index} />} rightSection={label.key && <kbd>{label.key}</kbd>} onClick={() => run(action)}>{label.name}</Menu.Item>
            );
          })}
        </div>
      </Menu.Dropdown>
    </Menu>
  );
}
