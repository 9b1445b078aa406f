/** Carrying out a decision: what it works on, what the screen shows at once, where the eye goes next. */
import { t } from "@/i18n";
import { type App, newId } from "@/state/app";
import { deed, held, mend } from "@/state/server";
import { moveTo, targets } from "@/state/selection";
import { type Decision, decide } from "@/state/verbs";

/** More than this many at once is asked about, for a slip of the key would be a long one. */
export const ASK_ABOVE = 500;

export function decideOn(app: App, decision: Decision): void {
  const ids = targets(app.selection.get());
  if (!ids.length) return app.say(t("say.nothingChosen"));
  if (decision.verb === "accept" && !app.session()?.program) return app.say(t("say.noProgram"));
  if (ids.length <= ASK_ABOVE) return carryOut(app, decision, ids);
  const question = t(`ask.${decision.verb}`, { count: ids.length, label: decision.label ?? "" });
  app.say(question, "ask", [
    {
      text: t("ask.yes"),
      run: () => {
        app.message.set(null);
        carryOut(app, decision, ids);
        app.list.get()?.focus();
      },
    },
    {
      text: t("ask.no"),
      run: () => {
        app.message.set(null);
        app.list.get()?.focus();
      },
    },
  ]);
}

function carryOut(app: App, decision: Decision, ids: string[]): void {
  const before = held(app, ids);
  mend(app, before.map((item) => decide(item, decision)));
  const entry = {
    kind: "edit" as const, tried: false, before,
    request: { client_id: newId(), verb: decision.verb, ids, label: decision.label ?? null },
  };
  const what = deed(entry);
  app.say(app.queue.store.get().reachable && app.wire.get() === "open" ? what : t("done.waits", { what }));
  app.queue.push(entry);
  moveOn(app);
}

/** To the example after the current one, or after the last one of the selection. */
export function moveOn(app: App): void {
  const list = app.list.get();
  const now = app.selection.get();
  if (!list) return;
  const places = now.selected.size ? [...now.selected].map(list.indexOf) : [now.current ? list.indexOf(now.current) : -1];
  const place = Math.max(...places, now.selected.size ? -1 : now.index);
  const next = Math.min(place + 1, list.count - 1);
  const id = place < 0 ? null : list.idAt(next);
  if (id === null) return app.selection.set(moveTo(now, now.current, now.index, false));
  app.selection.set(moveTo(now, id, next, false));
  list.scrollTo(next);
}
