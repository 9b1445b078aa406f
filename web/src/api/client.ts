/** The one place that speaks to the server. Everything is same-origin; the cookie does the rest. */
import type {
  BuildInfo, BuildReport, Changes, CommitInfo, Detail, EditAnswer, EditRequest, ErrorBody, Facets, Filters,
  Order, Page, ProblemPage, ServerEvent, Session, UndoAnswer,
} from "./types";
import { FACETS } from "./types";

/** The server answered, and the answer is no. */
export class Refused extends Error {
  readonly kind: string;
  readonly hint: string;
  readonly status: number;
  constructor(body: ErrorBody, status: number) {
    super(body.message);
    this.kind = body.kind;
    this.hint = body.hint ?? "";
    this.status = status;
  }
}

/** Nobody answered: the server is not running, or something between us gave up. */
export class Unreachable extends Error {}

export type Wire = "open" | "closed";

export interface Client {
  session(): Promise<Session>;
  examples(filters: Filters, order: Order, offset: number, limit: number): Promise<Page>;
  ids(filters: Filters, order: Order): Promise<string[]>;
  facets(filters: Filters): Promise<Facets>;
  example(id: string): Promise<Detail>;
  problems(code: string | null, offset: number, limit: number): Promise<ProblemPage>;
  edit(request: EditRequest): Promise<EditAnswer>;
  undo(clientId: string): Promise<UndoAnswer>;
  redo(clientId: string): Promise<UndoAnswer>;
  pending(offset: number, limit: number): Promise<Changes>;
  commit(message: string): Promise<CommitInfo>;
  log(limit: number): Promise<CommitInfo[]>;
  changes(commit: string, offset: number, limit: number): Promise<Changes>;
  builds(): Promise<BuildInfo[]>;
  startBuild(): Promise<BuildInfo>;
  cancelBuild(id: string): Promise<BuildInfo>;
  report(id: string): Promise<BuildReport>;
  /** Calls back on every event and whenever the wire opens or closes; returns what ends it. */
  listen(onEvent: (event: ServerEvent) => void, onWire: (wire: Wire) => void): () => void;
}

type Params = [string, string | number][];

export function filterParams(filters: Filters): [string, string][] {
  const params = FACETS.flatMap((name) => filters[name].map((value): [string, string] => [name, value]));
  if (filters.q) params.push(["q", filters.q]);
  return params;
}

function address(path: string, params: Params = []): string {
  const query = new URLSearchParams(params.map(([name, value]) => [name, String(value)])).toString();
  return query ? `api/${path}?${query}` : `api/${path}`;
}

/** A gateway's or crash page has no JSON in it: say the status, which is all we know. */
async function refusal(response: Response): Promise<Error> {
  const body = (await response.json().catch(() => null)) as Partial<ErrorBody> | null;
  if (body?.message) {
    return new Refused({ kind: body.kind ?? "error", message: body.message, hint: body.hint ?? "" }, response.status);
  }
  if (response.status >= 502 && response.status <= 504) return new Unreachable(String(response.status));
  return new Refused({ kind: "http", message: `HTTP ${response.status}`, hint: "" }, response.status);
}

/** An edit that is not answered by then is sent again under its name, so that one lost answer does not hold up the rest. */
const EDIT_TIMEOUT_MS = 60_000;

async function ask<T>(path: string, params?: Params, body?: unknown, method?: string, timeout?: number): Promise<T> {
  const init: RequestInit = { method: method ?? (body === undefined ? "GET" : "POST") };
  if (body !== undefined) {
    init.headers = { "content-type": "application/json" };
    init.body = JSON.stringify(body);
  }
  if (timeout) init.signal = AbortSignal.timeout(timeout);
  let response: Response;
  try {
    response = await fetch(address(path, params), init);
  } catch (error) {
    throw new Unreachable(String(error));
  }
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

const RETRY_MS = [500, 1000, 2000, 4000, 8000, 15000];

/** EventSource gives up for good on an HTTP error, so a closed one is opened again, ever more slowly. */
function listen(onEvent: (event: ServerEvent) => void, onWire: (wire: Wire) => void): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  const receive = (message: MessageEvent<string>) => onEvent(JSON.parse(message.data) as ServerEvent);
  const open = () => {
    source = new EventSource(address("events"));
    source.onopen = () => {
      attempt = 0;
      onWire("open");
    };
    source.onmessage = receive;
    for (const name of ["hello", "session", "build"]) source.addEventListener(name, receive as EventListener);
    source.onerror = () => {
      onWire("closed");
      source?.close();
      clearTimeout(timer);
      timer = setTimeout(open, RETRY_MS[Math.min(attempt++, RETRY_MS.length - 1)]);
    };
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}

const segment = encodeURIComponent;

export const httpClient: Client = {
  session: () => ask("session"),
  examples: (filters, order, offset, limit) =>
    ask("examples", [...filterParams(filters), ["order", order], ["offset", offset], ["limit", limit]]),
  ids: (filters, order) => ask("examples/ids", [...filterParams(filters), ["order", order]]),
  facets: (filters) => ask("facets", filterParams(filters)),
  example: (id) => ask("example", [["id", id]]),
  problems: (code, offset, limit) =>
    ask("problems", [...(code ? ([["code", code]] as Params) : []), ["offset", offset], ["limit", limit]]),
  edit: (request) => ask("edits", [], request, "POST", EDIT_TIMEOUT_MS),
  undo: (client_id) => ask("undo", [], { client_id }, "POST", EDIT_TIMEOUT_MS),
  redo: (client_id) => ask("redo", [], { client_id }, "POST", EDIT_TIMEOUT_MS),
  pending: (offset, limit) => ask("pending", [["offset", offset], ["limit", limit]]),
  commit: (message) => ask("commit", [], { message }),
  log: (limit) => ask("log", [["limit", limit]]),
  changes: (commit, offset, limit) => ask(`commits/${segment(commit)}`, [["offset", offset], ["limit", limit]]),
  builds: () => ask("builds"),
  startBuild: () => ask("builds", [], undefined, "POST"),
  cancelBuild: (id) => ask(`builds/${segment(id)}/cancel`, [], undefined, "POST"),
  report: (id) => ask(`builds/${segment(id)}`),
  listen,
};
