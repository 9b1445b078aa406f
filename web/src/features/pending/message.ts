/** The message that a commit of these edits would bear, if nobody writes a better one. Pure but for the language. */
import type { Changes } from "@/api/types";
import { t } from "@/i18n";

const NAMED = 3;

export function commitMessage(changes: Pick<Changes, "by_pair" | "reviewed">): string {
  const relabelled = changes.by_pair.reduce((sum, [, , count]) => sum + (count as number), 0);
  const named = changes.by_pair.slice(0, NAMED).map(([from, to, count]) => `${String(from) || t("label.none")} → ${String(to) || t("label.none")} ${String(count)}`);
  if (changes.by_pair.length > NAMED) named.push("…");
  const pairs = named.join(t("commit.join"));
  if (!relabelled) return changes.reviewed ? t("commit.kept", { count: changes.reviewed }) : "";
  const first = t("commit.relabel", { count: relabelled, pairs });
  return changes.reviewed ? t("commit.and", { first, then: t("commit.kept", { count: changes.reviewed }) }) : first;
}
