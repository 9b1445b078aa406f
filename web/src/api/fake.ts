/** A server in memory, for `vite --mode fake` and the tests. It keeps the promises that the page rests on:
 * edits are carried out once for each client_id, undo and redo are exact, and a build reports as it goes. */
import { type Client, Refused, Unreachable, type Wire } from "./client";
import { probabilities, type Row } from "./fakeData";
import { epochsUpTo, FakeBuilds } from "./fakeBuild";
import { NAMES } from "./fakePictures";
import { FakeWorld, summary } from "./fakeWorld";
import type {
  BuildReport, Detail, EditRequest, Filters, Order, ProblemPage, ServerEvent, Session, UndoAnswer,
} from "./types";

export interface FakeOptions {
  rows?: number;
  programmed?: boolean;
  planted?: boolean;
  /** One step of the build's clock, ms. */
  tick?: number;
  latency?: number;
}

function absent(kind: string, message: string): Refused {
  return new Refused({ kind, message, hint: "" }, 404);
}

export class FakeServer implements Client {
  /** The names of the requests that were carried out, for the tests. */
  readonly carried: string[] = [];
  private readonly world: FakeWorld;
  private readonly made: FakeBuilds;
  private readonly answers = new Map<string, unknown>();
  private readonly listeners = new Set<(event: ServerEvent) => void>();
  private readonly wires = new Set<(wire: Wire) => void>();
  private readonly latency: number;
  private readonly planted: boolean;
  private gone = false;

  constructor({ rows = 1000, programmed = true, planted = true, tick = 700, latency = 30 }: FakeOptions = {}) {
    this.latency = latency;
    this.planted = planted && rows > 0;
    this.world = new FakeWorld(rows);
    this.made = new FakeBuilds(this.world, tick, (build) => {
      this.emit({ type: "build", session: null, build });
      if (build.status !== "running") this.news();
    });
    const commit = this.world.commits.at(-1);
    if (programmed && commit) this.made.remember(commit.info);
  }

  /** While true nobody answers; turning it back opens the wire again. */
  offline(gone: boolean): void {
    this.gone = gone;
    for (const wake of this.wires) wake(gone ? "closed" : "open");
    if (!gone) this.emit({ type: "hello", session: this.summed(), build: null });
  }

  private emit(event: ServerEvent): void {
    if (!this.gone) for (const listener of this.listeners) listener(event);
  }

  private news(): void {
    this.emit({ type: "session", session: this.summed(), build: null });
  }

  /** A lost request behaves as on the wire: late, and with the error's own type. */
  private async wire<T>(work: () => T): Promise<T> {
    if (this.latency) await new Promise((resolve) => setTimeout(resolve, this.latency));
    if (this.gone) throw new Unreachable("the fake server is off");
    return work();
  }

  private once<T>(clientId: string, work: () => T): T {
    if (!this.answers.has(clientId)) {
      this.answers.set(clientId, work());
      this.carried.push(clientId);
      this.news();
    }
    return this.answers.get(clientId) as T;
  }

  private summed(): Session {
    const { world, made } = this;
    const head = world.commits.at(-1)?.info;
    const last = made.reports.find((report) => report.info.status === "done")?.info;
    return {
      name: "fashion", path: "/home/ada/fashion", branch: "main", head: head?.id ?? null,
      head_message: head?.message ?? null, rows: world.rows.length, target: "label",
      labels: NAMES.map((name, index) => ({ name, index, key: String((index + 1) % 10) })),
      pending: world.pendingRows.length, can_undo: world.done.length > 0, can_redo: world.undone.length > 0,
      undo_label: world.done.at(-1)?.label ?? "", redo_label: world.undone.at(-1)?.label ?? "", saved_at: world.savedAt,
      program: last ? {
        build: last.id, name: "fashion", accuracy: last.accuracy!, interval: last.interval!, tested: world.tested.length,
        commit: last.commit, built_at: last.ended_at!,
      } : null,
      findings: world.programmed ? world.rows.filter((row) => world.item(row).finding).length : 0,
      building: made.running,
      planted: this.planted
        ? { total: world.planted.length, fixed: world.planted.filter((row) => row.given === row.truth).length } : null,
      author: "Ada", version: "0.1.0",
    };
  }

  private detail(row: Row): Detail {
    const { world } = this;
    const item = world.item(row);
    const near = world.rows.filter((other) => other !== row && other.truth === row.truth).slice(0, 5);
    return {
      item, probabilities: world.programmed ? probabilities(row) : [],
      losses: world.programmed ? epochsUpTo(8).map((e, k) => e.loss + (item.loss ?? 0) * (0.5 + k / 16)) : [],
      margin: null, entropy: null,
      neighbours: near.map((other, k) => ({
        id: other.id, thumb: other.picture, given: NAMES[other.given]!, split: other.split, distance: 0.08 + k * 0.03,
      })),
      history: row.history,
      message: item.finding ? `labelled \`${item.given}\`, looks like \`${item.prediction}\` (${Math.round(item.probability! * 100)}% of the evidence)` : "",
    };
  }

  private suspects(code: string | null, offset: number, limit: number): ProblemPage {
    const { world } = this;
    const found = world.worst.flatMap((row) => {
      const item = world.item({ ...row, reviewed: false, given: row.committed });
      if (!item.finding || (code && item.finding !== code)) return [];
      return [{
        id: row.id, code: item.finding, message: `labelled \`${item.given}\`, looks like \`${item.prediction}\``,
        given: item.given, proposed: item.proposed, probability: item.probability, score: item.score!,
        thumb: row.picture, resolved: row.reviewed,
      }];
    });
    return { total: found.length, open: found.filter((one) => !one.resolved).length, items: found.slice(offset, offset + limit) };
  }

  private step(clientId: string, again: boolean): Promise<UndoAnswer> {
    return this.wire(() => this.once(clientId, () => {
      const { label, rows } = this.world.stepBack(again);
      return {
        label, ids: rows.map((row) => row.id), items: rows.map((row) => this.world.item(row)), session: this.summed(),
      };
    }));
  }

  private reportOf(id: string): BuildReport {
    const report = this.made.reports.find((one) => one.info.id === id);
    if (!report) throw absent("no-such-build", "This build does not exist");
    return report;
  }

  session = () => this.wire(() => this.summed());
  examples = (filters: Filters, order: Order, offset: number, limit: number) =>
    this.wire(() => this.world.page(filters, order, offset, limit));
  ids = (filters: Filters, order: Order) => this.wire(() => this.world.ordered(filters, order).map((row) => row.id));
  facets = (filters: Filters) => this.wire(() => this.world.facets(filters));
  example = (id: string) => this.wire(() => {
    const row = this.world.byId.get(id);
    if (!row) throw absent("no-such-example", `\`${id}\` is not in this repository`);
    return this.detail(row);
  });
  problems = (code: string | null, offset: number, limit: number) => this.wire(() => this.suspects(code, offset, limit));
  edit = (request: EditRequest) => this.wire(() => this.once(request.client_id, () => {
    const rows = this.world.edit(request);
    return {
      saved_at: Date.now(), count: rows.length, items: rows.map((row) => this.world.item(row)), session: this.summed(),
    };
  }));
  undo = (clientId: string) => this.step(clientId, false);
  redo = (clientId: string) => this.step(clientId, true);
  pending = (offset: number, limit: number) =>
    this.wire(() => summary(this.world.pendingChanges(), this.world.keptChanges(), offset, limit));
  commit = (message: string) => this.wire(() => {
    const info = this.world.commit(message);
    this.news();
    return info;
  });
  log = (limit: number) => this.wire(() => [...this.world.commits].reverse().slice(0, limit).map((commit) => commit.info));
  changes = (id: string, offset: number, limit: number) => this.wire(() => {
    const commit = this.world.commits.find((one) => one.info.id === id);
    if (!commit) throw absent("no-such-commit", "This commit does not exist");
    return summary(commit.changes, [], offset, limit);
  });
  builds = () => this.wire(() => this.made.reports.map((report) => report.info));
  startBuild = () => this.wire(() => this.made.start());
  cancelBuild = (id: string) => this.wire(() => this.made.cancel(this.reportOf(id)));
  report = (id: string) => this.wire(() => ({ ...this.reportOf(id) }));

  listen = (onEvent: (event: ServerEvent) => void, onWire: (wire: Wire) => void) => {
    this.listeners.add(onEvent);
    this.wires.add(onWire);
    onWire(this.gone ? "closed" : "open");
    if (!this.gone) onEvent({ type: "hello", session: this.summed(), build: null });
    return () => {
      this.listeners.delete(onEvent);
      this.wires.delete(onWire);
    };
  };
}
