import { useSession } from "@/api/queries";
import { BuildButton } from "@/features/build";
import { useT } from "@/i18n";
import { perform } from "@/state/actions";
import { useApp } from "@/state/app";
import { useStore } from "@/state/store";
import { IconButton } from "@/ui/Button";
import { Icon, type IconName } from "@/ui/Icon";
import { Keycaps } from "@/ui/Keycaps";

const PANES: readonly (readonly ["side" | "panel" | "inspector", IconName, string])[] = [
  ["side", "side", "b"], ["panel", "bottom", "j"], ["inspector", "right", "i"],
];

export function TitleBar() {
  const t = useT();
  const app = useApp();
  const session = useSession().data;
  const prefs = useStore(app.prefs);
  return (
    <header className="title-bar">
      <h1 title={session?.path}>{session?.name ?? "sw2"}</h1>
      <button type="button" className="title-search" onClick={() => perform(app, "help.palette")}>
        <Icon name="search" size={14} /><span>{t("palette.open")}</span><Keycaps keys="Mod+k" />
      </button>
      <div className="title-right">
        {PANES.map(([pane, icon, key]) => (
          <IconButton key={pane} name={t(`action.toggle.${pane}`)} icon={icon} keys={key} aria-pressed={prefs[pane]} onClick={() => perform(app, `view.toggle.${pane}`)} />
        ))}
        <BuildButton />
      </div>
    </header>
  );
}
