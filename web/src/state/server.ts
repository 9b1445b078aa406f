/** What the page does when the server speaks: cached answers are mended in place, the rest is asked for again. */
import type { QueryKey } from "@tanstack/react-query";
import { Refused, type Wire } from "@/api/client";
import type { BuildInfo, Detail, EditAnswer, Item, Page, Problem, ProblemPage, ServerEvent, Session, UndoAnswer } from "@/api/types";
import { t } from "@/i18n";
import type { App } from "./app";
import type { Entry } from "./queue";
import { NO_SELECTION } from "./selection";
import { labelAfter } from "./verbs";

/** Views of the data that an edit changes; the pages of the grid are mended instead, so that no tile moves. */
const AFTER_EDIT = ["facets", "pending", "detail", "ids"] as const;
const AFTER_COMMIT = [...AFTER_EDIT, "examples", "log", "builds", "problems"] as const;

function refresh(app: App, names: readonly string[]): void {
  for (const name of names) void app.query.invalidateQueries({ queryKey: [name] });
}

/** Replaces the items, wherever they are shown. */
export function mend(app: App, items: readonly Item[]): void {
  const byId = new Map(items.map((item) => [item.id, item]));
  app.query.setQueriesData<Page>({ queryKey: ["examples"] }, (page) =>
    page?.items.some((item) => byId.has(item.id))
      ? { ...page, items: page.items.map((item) => byId.get(item.id) ?? item) }
      : page);
  app.query.setQueriesData<ProblemPage>({ queryKey: ["problems"] }, (page) => {
    const touched = page?.items.filter((problem) => byId.has(problem.id)) ?? [];
    if (!page || !touched.length) return page;
    const fixed = (problem: Problem) => {
      const item = byId.get(problem.id);
      return item ? { ...problem, resolved: item.finding === null } : problem;
    };
    const next = page.items.map(fixed);
    const closed = touched.filter((problem) => !problem.resolved && fixed(problem).resolved).length;
    const opened = touched.filter((problem) => problem.resolved && !fixed(problem).resolved).length;
    return { ...page, items: next, open: page.open - closed + opened };
  });
  for (const item of items) {
    app.query.setQueryData<Detail>(["detail", item.id], (detail) => (detail ? { ...detail, item } : detail));
  }
}

/** The items of these ids that the page holds. */
export function held(app: App, ids: readonly string[]): Item[] {
  const wanted = new Set(ids);
  const found = new Map<string, Item>();
  const details = app.query.getQueriesData<Detail>({ queryKey: ["detail"] });
  for (const [, detail] of details) if (detail && wanted.has(detail.item.id)) found.set(detail.item.id, detail.item);
  for (const [, page] of app.query.getQueriesData<Page>({ queryKey: ["examples"] })) {
    for (const item of page?.items ?? []) if (wanted.has(item.id)) found.set(item.id, item);
  }
  return [...found.values()];
}

function setSession(app: App, session: Session): void {
  app.query.setQueryData(["session"], session);
}

/** "Labelled Coat", "Kept the labels of 14 examples": the deed, without saying yet that it is saved. */
export function deed(entry: Extract<Entry, { kind: "edit" }>): string {
  const { verb, ids } = entry.request;
  const first = entry.before[0];
  const after = first && labelAfter(first, { verb, label: entry.request.label ?? undefined });
  if (ids.length === 1 && after) return t(`done.${verb}.one`, { label: after });
  return t(`done.${verb}.many`, { label: entry.request.label ?? "", count: ids.length });
}

/** What an undo or redo has led to, which can be said in any language; the server's own words are English. */
export function again(kind: "undo" | "redo", items: readonly Item[], count: number): string {
  const [first] = items;
  if (count === 1 && first) return t(`done.${kind}.one`, { label: first.given ?? t("label.none") });
  return t(`done.${kind}.many`, { count });
}

export function onSaved(app: App, entry: Entry, answer: EditAnswer | UndoAnswer): void {
  app.saved.set(answer.session.saved_at ?? 0);
  app.answered.set(Date.now());
  setSession(app, answer.session);
  // A later edit of the same example may already be on the screen and not yet on the disk: leave that one alone.
  const later = new Set(app.queue.store.get().waiting.flatMap((one) => (one.kind === "edit" ? one.request.ids : [])));
  mend(app, answer.items.filter((item) => !later.has(item.id)));
  refresh(app, AFTER_EDIT);
  if (entry.kind === "edit") {
    if (app.message.get()?.tone !== "ask") app.say(t("done.saved", { what: deed(entry) }));
    return;
  }
  const { label, ids } = answer as UndoAnswer;
  if (!ids.length && !label) {
    app.say(t(entry.kind === "undo" ? "done.nothingToUndo" : "done.nothingToRedo"));
    return;
  }
  app.say(t("done.saved", { what: again(entry.kind, answer.items, ids.length) }));
  const [first] = ids;
  if (first) showAgain(app, first);
}

/** An undone example becomes the current one, so that the next key works on it. */
export function showAgain(app: App, id: string): void {
  const index = app.list.get()?.indexOf(id) ?? -1;
  app.selection.set({ ...NO_SELECTION, current: id, index, anchor: index, chosen: true });
  if (index >= 0) app.list.get()?.scrollTo(index);
}

export function onRefused(app: App, entry: Entry, error: Refused): void {
  if (entry.kind === "edit") mend(app, entry.before);
  refresh(app, [...AFTER_EDIT, "session"]);
  app.say([error.message, error.hint].filter(Boolean).join(". "), "wrong");
}

/** Another page, the command line or a build changed something; our own edits have been mended already. */
function onSession(app: App, session: Session): void {
  const before = app.session();
  // With edits on their way this news is older than what the page knows; their answers bring newer.
  if (before && app.queue.store.get().waiting.length > 0) return;
  setSession(app, session);
  if (!before) return;
  if (before.rows !== session.rows) return void app.query.invalidateQueries();
  if (before.head !== session.head || before.branch !== session.branch) return refresh(app, AFTER_COMMIT);
  const ours = (session.saved_at ?? 0) <= app.saved.get();
  if (before.saved_at !== session.saved_at && !ours) refresh(app, [...AFTER_EDIT, "examples", "problems"]);
}

let lastReport = 0;

function onBuild(app: App, build: BuildInfo): void {
  app.query.setQueryData<BuildInfo[]>(["builds"], (list) => {
    if (!list) return list;
    const known = list.some((one) => one.id === build.id);
    return known ? list.map((one) => (one.id === build.id ? build : one)) : [build, ...list];
  });
  if (build.status !== "running") {
    app.query.setQueryData<Session>(["session"], (now) => (now?.building === build.id ? { ...now, building: null } : now));
    return onBuildEnd(app, build);
  }
  app.query.setQueryData<Session>(["session"], (now) => (now ? { ...now, building: build.id } : now));
  if (Date.now() - lastReport < 600) return;
  lastReport = Date.now();
  void app.query.invalidateQueries({ queryKey: ["report", build.id] });
}

/** Labelling goes on in the old order until its reader asks for the new one; without an old one there is no wait. */
export function onBuildEnd(app: App, build: BuildInfo): void {
  const pages = app.query.getQueriesData<Page>({ queryKey: ["examples"] }).map(([, page]) => page);
  const first = !pages.some((page) => page?.items.some((item) => item.prediction !== null));
  refresh(app, ["report", "builds", "session"]);
  if (build.status !== "done") return;
  refresh(app, ["facets", "problems", "detail", "ids"]);
  if (first) void fromTheTop(app);
  else app.stale.set(true);
  const text = build.accuracy === null ? t("build.ended") : t("build.endedWith", { accuracy: (build.accuracy * 100).toFixed(1) });
  app.say(text, "good");
}

/** The order of the newest build, with its first example as the current one. */
export async function fromTheTop(app: App): Promise<void> {
  app.stale.set(false);
  app.query.removeQueries({ queryKey: ["examples"], type: "inactive" });
  await app.query.invalidateQueries({ queryKey: ["examples"] });
  app.selection.set(NO_SELECTION);
  app.list.get()?.scrollTo(0);
}

export function onEvent(app: App, event: ServerEvent): void {
  if (event.session) onSession(app, event.session);
  if (event.build) onBuild(app, event.build);
  if (event.type === "hello") app.queue.wake();
}

export function onWire(app: App, wire: Wire): void {
  const was = app.wire.get();
  app.wire.set(wire);
  if (wire === "closed" || was === "open") return;
  app.queue.wake();
  // While the wire was down anything may have happened: what is on the screen is asked for again.
  const failed = (query: { queryKey: QueryKey; state: { status: string } }) =>
    query.state.status === "error" || !app.queue.store.get().waiting.length;
  void app.query.invalidateQueries({ predicate: failed });
}

