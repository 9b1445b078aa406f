import { t } from "@/i18n";
import { type Action, perform } from "@/state/actions";
import type { App } from "@/state/app";
import { commitMessage } from "../message";
import { commitEdits } from "./commit";

/** Commits under the proposed message; whoever wants to write one opens the pending edits. */
async function commitThenBuild(app: App): Promise<void> {
  const changes = await app.client.pending(0, 1);
  if (await commitEdits(app, commitMessage(changes))) {
    perform(app, "build.start");
  }
}

export const commitAndBuild: Action = {
  name: "pending.commitAndBuild", group: "build", title: () => t("action.pending.commitAndBuild"), keys: [],
  enabled: (app) => Boolean(app.session()?.pending) && !app.session()?.building,
  perform: (app) => void commitThenBuild(app),
};
