/** Edits on their way to the disk: in order, once each, and safe from a reload or a server that is gone.
 *
 * An entry leaves the queue only when the server has said that it is on disk. A request that got no answer is sent
 * again with the same client_id, which the server carries out once. */
import { type Client, Refused, Unreachable } from "@/api/client";
import type { EditAnswer, EditRequest, Item, UndoAnswer } from "@/api/types";
import { createStore } from "./store";

export type Entry =
  | { kind: "edit"; request: EditRequest; tried: boolean; before: Item[] }
  | { kind: "undo" | "redo"; request: { client_id: string }; tried: boolean };

export interface QueueState {
  waiting: readonly Entry[];
  /** Why the head does not go out, when the server answered with something other than a yes. */
  stuck: Refused | null;
  reachable: boolean;
  /** When the next try is due, ms since 1970; null while none is planned. */
  retryAt: number | null;
}

export interface QueueEvents {
  saved(entry: Entry, answer: EditAnswer | UndoAnswer): void;
  refused(entry: Entry, error: Refused): void;
}

export const EMPTY_QUEUE: QueueState = { waiting: [], stuck: null, reachable: true, retryAt: null };

export function pushed(state: QueueState, entry: Entry): QueueState {
  return { ...state, waiting: [...state.waiting, entry] };
}

export function marked(state: QueueState): QueueState {
  const [head, ...rest] = state.waiting;
  return head ? { ...state, waiting: [{ ...head, tried: true }, ...rest] } : state;
}

export function shifted(state: QueueState): QueueState {
  return { ...state, waiting: state.waiting.slice(1), stuck: null, reachable: true, retryAt: null };
}

/** The last entry, if it never left the page: undoing it needs no server. */
export function takenBack(state: QueueState): { state: QueueState; entry: Entry | null } {
  const last = state.waiting.at(-1);
  if (!last || last.tried || last.kind !== "edit") return { state, entry: null };
  return { state: { ...state, waiting: state.waiting.slice(0, -1) }, entry: last };
}

/** Entries that another page left behind, before our own; an id that is in both is kept once. */
export function adopted(state: QueueState, left: readonly Entry[]): QueueState {
  const known = new Set(state.waiting.map((entry) => entry.request.client_id));
  const fresh = left.filter((entry) => !known.has(entry.request.client_id));
  return fresh.length ? { ...state, waiting: [...fresh, ...state.waiting] } : state;
}

/** A refusal that waiting may mend: a full disk, a lock, a server that was started anew and wants its token. */
export function mayPass(error: Refused): boolean {
  return error.status >= 500 || error.status === 401 || error.status === 403 || error.status === 429;
}

/** The pictures of how it was serve only to take an edit back on this page; storage holds 5 MB, so they stay out. */
function lean(entry: Entry): Entry {
  return entry.kind === "edit" ? { ...entry, before: [] } : entry;
}

const RETRY_MS = [500, 1000, 2000, 4000, 8000, 15000];
const PREFIX = "sw2.edits.";

type Sender = Pick<Client, "edit" | "undo" | "redo">;

export class EditQueue {
  readonly store = createStore(EMPTY_QUEUE);
  private key: string | null = null;
  private sending = false;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly client: Sender,
    private readonly events: QueueEvents,
    private readonly storage: Storage,
  ) {}

  push(entry: Entry): void {
    this.keep(pushed(this.store.get(), entry));
    void this.pump();
  }

  /** Undo of what never left the page; null when the server must be asked. */
  takeBack(): Entry | null {
    const { state, entry } = takenBack(this.store.get());
    if (entry) this.keep(state);
    return entry;
  }

  /** Called when something shows that the server is there again. */
  wake(): void {
    this.attempt = 0;
    void this.pump();
  }

  /** Names the repository, and takes over what earlier pages of it left. A client_id makes taking over safe. */
  open(repository: string, page: string): void {
    const mine = `${PREFIX}${repository}.${page}`;
    if (this.key === mine) return;
    this.key = mine;
    const left: Entry[] = [];
    for (const name of Object.keys(this.storage).filter((one) => one.startsWith(`${PREFIX}${repository}.`))) {
      left.push(...(JSON.parse(this.storage.getItem(name) ?? "[]") as Entry[]));
      if (name !== mine) this.storage.removeItem(name);
    }
    this.keep(adopted(this.store.get(), left));
    void this.pump();
  }

  private keep(next: QueueState): void {
    this.store.set(next);
    if (!this.key) return;
    if (next.waiting.length) this.storage.setItem(this.key, JSON.stringify(next.waiting.map(lean)));
    else this.storage.removeItem(this.key);
  }

  private send(entry: Entry): Promise<EditAnswer | UndoAnswer> {
    if (entry.kind === "edit") return this.client.edit(entry.request);
    return this.client[entry.kind](entry.request.client_id);
  }

  private async pump(): Promise<void> {
    if (this.sending || !this.store.get().waiting.length) return;
    clearTimeout(this.timer);
    this.sending = true;
    this.keep(marked(this.store.get()));
    const head = this.store.get().waiting[0]!;
    try {
      const answer = await this.send(head);
      this.attempt = 0;
      this.keep(shifted(this.store.get()));
      this.events.saved(head, answer);
    } catch (error) {
      if (!(error instanceof Refused) || mayPass(error)) {
        this.sending = false;
        return this.later(error);
      }
      this.keep(shifted(this.store.get()));
      this.events.refused(head, error);
    }
    this.sending = false;
    void this.pump();
  }

  private later(error: unknown): void {
    const wait = RETRY_MS[Math.min(this.attempt++, RETRY_MS.length - 1)]!;
    this.store.set((now) => ({
      ...now, reachable: !(error instanceof Unreachable), stuck: error instanceof Refused ? error : null,
      retryAt: Date.now() + wait,
    }));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.pump(), wait);
  }
}
