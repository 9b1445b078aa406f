import { Menu } from "@mantine/core";
import { useSession } from "@/api/queries";
import { useT } from "@/i18n";
import { perform } from "@/state/actions";
import { useApp } from "@/state/app";
import { Button } from "@/ui/Button";
import { percent } from "@/ui/format";
import { useRunning } from "./Build";

/** Builds what is committed; with edits that are not, it first asks what to do with them. */
export function BuildButton() {
  const t = useT();
  const app = useApp();
  const session = useSession().data;
  const running = useRunning();
  if (!session) return null;
  if (session.building) {
    const progress = running?.progress;
    const part = progress?.total ? percent(progress.done / progress.total, 0) : "";
    return (
      <Button icon="play" data-testid="build-button" onClick={() => perform(app, "view.panel.build")}>
        {t("build.building", { part })}
      </Button>
    );
  }
  if (!session.pending) {
    return (
      <Button kind="primary" icon="play" data-testid="build-button" disabled={!session.rows} onClick={() => perform(app, "build.start")}>
        {t("build.build")}
      </Button>
    );
  }
  return (
    <Menu position="bottom-end" offset={4}>
      <Menu.Target>
        <Button kind="primary" icon="play" data-testid="build-button">{t("build.build")}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("build.pendingFirst", { count: session.pending })}</Menu.Label>
        <Menu.Item data-testid="menu-commit-and-build" onClick={() => perform(app, "pending.commitAndBuild")}>{t("build.commitAndBuild", { count: session.pending })}</Menu.Item>
        <Menu.Item onClick={() => perform(app, "pending.commit")}>{t("build.review")}</Menu.Item>
        <Menu.Divider />
        <Menu.Item onClick={() => perform(app, "build.start")}>{t("build.without")}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
