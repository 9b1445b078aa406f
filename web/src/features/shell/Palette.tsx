import { type KeyboardEvent, useEffect, useMemo, useState } from "react";
import { useFacets } from "@/api/queries";
import { known, useT } from "@/i18n";
import type { Action } from "@/state/actions";
import { type App, useApp } from "@/state/app";
import { useStore } from "@/state/store";
import { NO_FILTERS, withFilters } from "@/state/view";
import { FACETS, type FacetName, type Facets } from "@/api/types";
import { Dialog } from "@/ui/Dialog";
import { Icon } from "@/ui/Icon";
import { Keycaps } from "@/ui/Keycaps";

interface Choice {
  name: string;
  title: string;
  group: string;
  keys?: string;
  run: () => void;
}

const STARTS = /(^|[\s:=,;(\uff08\uff1a])$/;

/** The words as they stand are best, then the beginnings of words ("lc" for "Label as Coat"). Below 0: no match. */
export function matchScore(title: string, wanted: string): number {
  const [text, words] = [title.toLowerCase(), wanted.trim().toLowerCase()];
  const place = text.indexOf(words);
  if (place >= 0) return (STARTS.test(text.slice(0, place)) ? 200 : 100) - text.length / 100;
  let from = 0;
  let run = false;
  for (const letter of words.replaceAll(" ", "")) {
    let at: number = run && text[from] === letter ? from : -1;
    for (let k = from; at < 0 && k < text.length; k++) if (text[k] === letter && STARTS.test(text.slice(0, k))) at = k;
    if (at < 0) return -1;
    [from, run] = [at + 1, true];
  }
  return 50 - text.length / 100;
}

function actionChoices(app: App, t: ReturnType<typeof useT>): Choice[] {
  const shown = (action: Action) => !action.keyOnly && action.name !== "help.palette" && (action.enabled?.(app) ?? true);
  return app.actions().filter(shown).map((action) => ({
    name: action.name, title: action.title(app), group: t(`group.${action.group}`), keys: action.keys[0],
    run: () => action.perform(app),
  }));
}

function facetChoices(app: App, t: ReturnType<typeof useT>, facets: Facets | undefined): Choice[] {
  return (facets?.facets ?? []).filter((facet) => FACETS.includes(facet.name as FacetName)).flatMap((facet) =>
    facet.values.map(({ value }) => ({
      name: `facet.${facet.name}.${value}`,
      title: t("palette.show", { facet: t(`facet.${facet.name as FacetName}`), value: known(facet.name, value) }),
      group: t("group.filter"),
      run: () => app.filter(withFilters({ [facet.name]: [value] })),
    })));
}

const SHOWN = 60;

function useChoices(open: boolean, text: string): Choice[] {
  const t = useT();
  const app = useApp();
  const facets = useFacets(NO_FILTERS).data;
  return useMemo(() => {
    if (!open) return [];
    const all = actionChoices(app, t);
    if (!text.trim()) return all.slice(0, SHOWN);
    const find: Choice = {
      name: "find", title: t("palette.find", { text }), group: t("group.filter"),
      run: () => app.filter(withFilters({ q: text.trim() })),
    };
    const scored = [...all, ...facetChoices(app, t, facets)].map((choice) => ({ choice, score: matchScore(choice.title, text) }));
    const best = scored.filter((one) => one.score >= 0).sort((a, b) => b.score - a.score).map((one) => one.choice);
    return [...best.slice(0, SHOWN), find];
  }, [app, t, text, open, facets]);
}

export function Palette() {
  const t = useT();
  const app = useApp();
  const open = useStore(app.ui, (ui) => ui.palette);
  const [text, setText] = useState("");
  const [place, setPlace] = useState(0);
  useEffect(() => {
    if (open) setText("");
  }, [open]);
  useEffect(() => setPlace(0), [text, open]);
  const found = useChoices(open, text);
  const close = () => {
    app.ui.set((ui) => ({ ...ui, palette: false }));
    app.list.get()?.focus();
  };
  const run = (choice: Choice | undefined) => {
    if (!choice) return;
    close();
    choice.run();
  };
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const next = (place + step + found.length) % found.length;
      setPlace(next);
      document.getElementById(`choice-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(found[place]);
    }
  };
  return (
    <Dialog open={open} onClose={close} label={t("action.help.palette")} className="dialog-palette">
      <div className="palette">
        <div className="palette-box">
          <Icon name="search" />
          <input
            autoFocus
            value={text}
            role="combobox"
            aria-expanded
            aria-controls="palette-list"
            aria-activedescendant={`choice-${place}`}
            aria-label={t("palette.box")}
            placeholder={t("palette.box")}
            spellCheck={false}
            onChange={(event) => setText(event.currentTarget.value)}
            onKeyDown={press}
          />
        </div>
        <ul id="palette-list" role="listbox" aria-label={t("palette.results")}>
          {found.map((choice, k) => (
            <li
              key={choice.name}
              id={`choice-${k}`}
              role="option"
              aria-selected={k === place}
              onMouseMove={() => setPlace(k)}
              onClick={() => run(choice)}
            >
              <span>{choice.title}</span>
              <span className="palette-group">{choice.group}</span>
              {choice.keys && <Keycaps keys={choice.keys} />}
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}
