/** Everything the page is, in one value that is made once and handed down; tests make their own. */
import { QueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { type Client, Unreachable, type Wire } from "@/api/client";
import type { Filters, Session } from "@/api/types";
import type { Action } from "./actions";
import { createPrefs, type Prefs } from "./prefs";
import { EditQueue } from "./queue";
import { NO_SELECTION, type Selection } from "./selection";
import { onEvent, onRefused, onSaved, onWire } from "./server";
import { createStore, type Store } from "./store";
import { FIRST_VIEW, formatView, parseView, type View } from "./view";

export interface Message {
  text: string;
  tone: "quiet" | "good" | "wrong" | "ask";
  /** One or two words to click; the first one is the answer. */
  choices?: { text: string; run: () => void }[];
}

/** The list that the arrow keys walk along: the grid, the problems, a picture diff. */
export interface List {
  name: string;
  count: number;
  columns: number;
  idAt(index: number): string | null;
  indexOf(id: string): number;
  scrollTo(index: number): void;
  focus(): void;
  /** Ids from one place to another, both in; asks the server for what is not on the page. */
  between(first: number, last: number): Promise<string[]>;
}

export interface Ui {
  palette: boolean;
  keys: boolean;
  /** Where the context menu is open. */
  menu: { x: number; y: number } | null;
}

export interface App {
  client: Client;
  query: QueryClient;
  view: Store<View>;
  prefs: Store<Prefs>;
  selection: Store<Selection>;
  queue: EditQueue;
  message: Store<Message | null>;
  ui: Store<Ui>;
  wire: Store<Wire>;
  /** A build has ended, and the order on the screen is still that of the build before. */
  stale: Store<boolean>;
  /** When the newest edit of this page reached the disk, by the server's clock. */
  saved: Store<number>;
  /** When the server last said so, by this machine's clock: an undo is written too, though it leaves an older edit. */
  answered: Store<number>;
  list: Store<List | null>;
  actions: () => readonly Action[];
  go(change: Partial<View>, how?: "push" | "replace"): void;
  filter(change: Filters): void;
  say(text: string, tone?: Message["tone"], choices?: Message["choices"]): void;
  session(): Session | undefined;
}

export interface Surroundings {
  client: Client;
  local: Storage;
  perPage: Storage;
  actions: () => readonly Action[];
}

function newQuery(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The server says what has changed; nothing is asked for again just because time has passed.
        staleTime: Infinity,
        gcTime: 5 * 60_000,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        // 127.0.0.1 answers without a network, so "offline" says nothing here.
        networkMode: "always",
        retry: (count, error) => error instanceof Unreachable && count < 2,
        retryDelay: 400,
      },
      mutations: { networkMode: "always" },
    },
  });
}

/** The address follows the view; small steps replace the entry, and Chromium allows 200 of them in 30 s. */
function followAddress(view: Store<View>, size: number): App["go"] {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = (how: "push" | "replace") => {
    clearTimeout(timer);
    const address = formatView(view.get()) || window.location.pathname;
    if (how === "push") window.history.pushState(null, "", address);
    else window.history.replaceState(null, "", address);
  };
  window.addEventListener("popstate", () => {
    clearTimeout(timer);
    view.set(parseView(window.location.search, size));
  });
  return (change, how = "push") => {
    const before = formatView(view.get());
    view.set((now) => ({ ...now, ...change }));
    if (formatView(view.get()) === before) return;
    clearTimeout(timer);
    if (how === "push") write("push");
    else timer = setTimeout(() => write("replace"), 200);
  };
}

export function createApp({ client, local, perPage, actions }: Surroundings): App {
  const prefs = createPrefs(local);
  const view = createStore<View>({ ...FIRST_VIEW, ...parseView(window.location.search, prefs.get().size) });
  const message = createStore<Message | null>(null);
  const query = newQuery();
  const app: App = {
    client, query, view, prefs, message, actions,
    selection: createStore<Selection>({ ...NO_SELECTION, current: view.get().id }),
    queue: new EditQueue(client, {
      saved: (entry, answer) => onSaved(app, entry, answer),
      refused: (entry, error) => onRefused(app, entry, error),
    }, local),
    ui: createStore<Ui>({ palette: false, keys: false, menu: null }),
    wire: createStore<Wire>("open"),
    stale: createStore(false),
    saved: createStore(0),
    answered: createStore(0),
    list: createStore<List | null>(null),
    go: followAddress(view, prefs.get().size),
    filter: (filters) => app.go({ view: "explore", filters, big: false }),
    say: (text, tone = "quiet", choices) => message.set({ text, tone, choices }),
    session: () => query.getQueryData<Session>(["session"]),
  };
  client.listen((event) => onEvent(app, event), (wire) => onWire(app, wire));
  view.watch(() => followView(app));
  app.selection.watch(() => app.go({ id: app.selection.get().current }, "replace"));
  query.getQueryCache().subscribe(() => {
    const session = app.session();
    if (session) app.queue.open(session.path, pageName(perPage));
  });
  return app;
}

/** Back and forward bring back the example too. */
function followView(app: App): void {
  const { id } = app.view.get();
  if (id !== app.selection.get().current) app.selection.set({ ...NO_SELECTION, current: id });
}

function pageName(storage: Storage): string {
  const known = storage.getItem("sw2.page");
  if (known) return known;
  const fresh = newId();
  storage.setItem("sw2.page", fresh);
  return fresh;
}

/** A UUID; `randomUUID` is missing where the page is not served from a secure origin. */
export function newId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error("no App above this component");
  return app;
}
