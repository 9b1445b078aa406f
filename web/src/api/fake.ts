/** A server in memory, for `vite --mode fake` and the tests. It keeps the promises that the page rests on:
 * edits are carried out once for each client_id, undo and redo are exact, and a build reports as it goes. */
import type { Client, Wire } from "./client";
import { Refused, Unreachable } from "./client";
import { type Row, makeRows, predictionOf, probabilities, score, softmax, toItem } from "./fakeData";
import { NAMES, random } from "./fakePictures";
import type {
  BuildInfo, BuildReport, Change, Changes, CommitInfo, Comparison, Epoch, Facets, Filters, Item, Order, Page,
  ServerEvent, Session,
} from "./types";
import { FACETS } from "./types";

export interface FakeOptions {
  rows?: number;
  programmed?: boolean;
  planted?: boolean;
  /** One step of the build's clock, ms. */
  tick?: number;
  latency?: number;
}

export interface FakeServer extends Client {
  /** While true nobody answers; turning it back opens the wire again. */
  offline(gone: boolean): void;
  /** Every edit as it was carried out, for the tests. */
  readonly carried: string[];
}

interface Step { label: string; before: Map<Row, [number, boolean, boolean]>; after: Map<Row, [number, boolean, boolean]> }

const EPOCHS = 8;
const START = Date.UTC(2026, 10, 23, 9, 30);

export function fakeServer(options: FakeOptions = {}): FakeServer {
  const { rows: count = 1000, programmed = true, planted = true, tick = 700, latency = 30 } = options;
  const rows = makeRows(count);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const plantedRows = rows.filter((row) => row.given !== row.truth);
  const done: Step[] = [];
  const undone: Step[] = [];
  const answers = new Map<string, unknown>();
  const commits: { info: CommitInfo; changes: Change[] }[] = [];
  const reports: BuildReport[] = [];
  const listeners = new Set<(event: ServerEvent) => void>();
  const wires = new Set<(wire: Wire) => void>();
  const carried: string[] = [];
  let gone = false;
  let savedAt: number | null = null;
  let generation = programmed ? 1 : 0;
  let worst: Row[] = [];
  let previous = new Map<Row, boolean>();
  let running: string | null = null;
  let clock = START;

  const has = () => generation > 0;
  const tested = () => rows.filter((row) => row.split === "test");
  const right = (row: Row) => predictionOf(row) === row.given;

  function rank(): void {
    worst = has()
      ? [...rows].sort((a, b) => softmax(a.logits)[a.given]! - softmax(b.logits)[b.given]!)
      : [...rows];
  }

  function addCommit(message: string, changes: Change[]): CommitInfo {
    clock += 3_600_000;
    const info: CommitInfo = {
      id: (0x9e3779b97f4a7c15n * BigInt(commits.length + 3)).toString(16).padStart(16, "0").slice(-16).repeat(4),
      message, author: "Ada", at: commits.length < 3 ? clock : Date.now(), edits: changes.length,
      parents: commits.length ? [commits.at(-1)!.info.id] : [],
    };
    commits.push({ info, changes });
    return info;
  }

  function seed(): void {
    if (!count) return;
    addCommit(`Add ${count} pictures`, []);
    const some = rows.filter((row) => row.given === row.truth && row.split === "train").slice(0, 14);
    const edits = some.map((row): Change => ({
      id: row.id, thumb: row.picture, column: "label", old: NAMES[(row.truth + 2) % 10]!, new: NAMES[row.given]!,
      by: "Ada", at: clock,
    }));
    addCommit("Relabel 14 examples after the first look", edits);
    some.forEach((row, index) => {
      row.reviewedBefore = row.reviewed = true;
      row.history.push({
        column: "label", old: edits[index]!.old, new: edits[index]!.new, by: "Ada", kind: "person", source: "ide",
        why: "", at: clock, commit: commits[1]!.info.id,
      });
    });
    if (has()) {
      score(rows, generation);
      reports.unshift(finishedReport(commits[1]!.info, clock));
    }
    rank();
  }

  function wilson(p: number, n: number): [number, number] {
    const z = 1.96;
    const middle = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
    const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
    return [middle - half, middle + half];
  }

  function compared(): Comparison | null {
    if (!previous.size) return null;
    const all = tested();
    const [was, now] = [all.filter((row) => previous.get(row)).length, all.filter(right).length];
    const better = all.filter((row) => right(row) && !previous.get(row)).length;
    const worse = all.filter((row) => !right(row) && previous.get(row)).length;
    const n = all.length;
    const difference = (now - was) / n;
    const spread = (1.96 * Math.sqrt(better + worse)) / n;
    return {
      before: reports[0]?.info.id ?? "", before_accuracy: was / n, before_interval: wilson(was / n, n),
      after_accuracy: now / n, after_interval: wilson(now / n, n),
      difference_interval: [difference - spread, difference + spread], better, worse, tested: n,
    };
  }

  function epochsUpTo(number: number): Epoch[] {
    return Array.from({ length: number }, (_, index) => ({
      epoch: index + 1,
      loss: 0.28 + 1.7 * Math.exp(-index / 1.8) + 0.02 * Math.sin(index * 2),
      accuracy: 0.88 - 0.35 * Math.exp(-index / 1.5) + 0.004 * Math.sin(index * 3),
    }));
  }

  function finishedReport(commit: CommitInfo, at: number): BuildReport {
    const all = tested();
    const confusion = NAMES.map(() => NAMES.map(() => 0));
    for (const row of all) confusion[row.given]![predictionOf(row)]!++;
    const classes = NAMES.map((label, k) => {
      const support = confusion[k]!.reduce((a, b) => a + b, 0);
      const claimed = confusion.reduce((sum, line) => sum + line[k]!, 0);
      const hit = confusion[k]![k]!;
      return { label, precision: claimed ? hit / claimed : null, recall: support ? hit / support : null, support };
    });
    const accuracy = all.filter(right).length / all.length;
    const id = commit.id.slice(0, 4).padEnd(12, "a3f2") + String(generation);
    return {
      info: {
        id, status: "done", commit: commit.id, commit_message: commit.message, started_at: at, ended_at: at + 41_000,
        cached: false, progress: null, accuracy, interval: wilson(accuracy, all.length), error: null,
      },
      labels: [...NAMES], confusion, classes, epochs: epochsUpTo(EPOCHS), comparison: compared(),
      log: ["read 1,000 examples", "architecture small-conv, 21,402 weights", ...epochsUpTo(EPOCHS).map(
        (e) => `epoch ${e.epoch}/8  loss ${e.loss.toFixed(3)}  accuracy ${(e.accuracy! * 100).toFixed(1)} %`),
      "exported program.sw2b, 96 kB"].join("\n"),
    };
  }

  function session(): Session {
    const last = reports.find((report) => report.info.status === "done");
    const items = has() ? rows.map((row) => toItem(row, true)) : [];
    return {
      name: "fashion", path: "/home/ada/fashion", branch: "main",
      head: commits.at(-1)?.info.id ?? null, head_message: commits.at(-1)?.info.message ?? null,
      rows: rows.length, target: "label",
      labels: NAMES.map((name, index) => ({ name, index, key: String((index + 1) % 10) })),
      pending: pendingRows().length,
      can_undo: done.length > 0, can_redo: undone.length > 0,
      undo_label: done.at(-1)?.label ?? "", redo_label: undone.at(-1)?.label ?? "",
      saved_at: savedAt,
      program: last && has() ? {
        build: last.info.id, name: "fashion", accuracy: last.info.accuracy!, interval: last.info.interval!,
        tested: tested().length, commit: last.info.commit, built_at: last.info.ended_at!,
      } : null,
      findings: items.filter((item) => item.finding).length,
      building: running,
      planted: planted && count ? {
        total: plantedRows.length, fixed: plantedRows.filter((row) => row.given === row.truth).length,
      } : null,
      author: "Ada", version: "0.1.0",
    };
  }

  function emit(event: ServerEvent): void {
    if (!gone) for (const listener of listeners) listener(event);
  }

  const pendingRows = () => rows.filter((row) => row.edited);

  function values(row: Row, item: Item): Record<string, string[]> {
    const change = previous.size && row.split === "test" ? [right(row), previous.get(row)] : null;
    return {
      split: [row.split], label: [item.given!], prediction: item.prediction ? [item.prediction] : [],
      finding: has() ? [item.finding ?? "none"] : [],
      state: [
        ...(item.edited ? ["edited"] : []), item.reviewed ? "reviewed" : "unreviewed",
        ...(item.prediction && item.prediction !== item.given ? ["disagree"] : []),
      ],
      change: change && change[0] !== change[1] ? [change[0] ? "better" : "worse"] : [],
    };
  }

  function matches(row: Row, filters: Filters, except?: string): boolean {
    if (filters.q && !row.id.includes(filters.q)) return false;
    const own = values(row, toItem(row, has()));
    return FACETS.every((name) =>
      name === except || !filters[name].length || filters[name].some((value) => own[name]!.includes(value)));
  }

  function ordered(filters: Filters, order: Order): Row[] {
    const list = (order === "worst" ? worst : rows).filter((row) => matches(row, filters));
    if (order === "uncertain" && has()) {
      return [...list].sort((a, b) => Math.max(...softmax(a.logits)) - Math.max(...softmax(b.logits)));
    }
    return order === "recent" ? [...list].sort((a, b) => b.touched - a.touched) : list;
  }

  function page(filters: Filters, order: Order, offset: number, limit: number): Page {
    const list = ordered(filters, order);
    const all = list.map((row) => toItem(row, has()).loss ?? 0);
    const points = Math.min(200, all.length);
    return {
      total: rows.length, filtered: list.length, offset,
      items: list.slice(offset, offset + limit).map((row) => toItem(row, has())),
      losses: has() ? Array.from({ length: points }, (_, k) => all[Math.floor((k * all.length) / points)]!) : [],
    };
  }

  function facets(filters: Filters): Facets {
    const filtered = rows.filter((row) => matches(row, filters)).length;
    return {
      total: rows.length, filtered,
      facets: FACETS.map((name) => {
        const totals = new Map<string, [number, number]>();
        for (const row of rows) {
          const inView = matches(row, filters, name);
          for (const value of values(row, toItem(row, has()))[name]!) {
            const pair = totals.get(value) ?? [0, 0];
            totals.set(value, [pair[0] + (inView ? 1 : 0), pair[1] + 1]);
          }
        }
        const rank = name === "label" || name === "prediction" ? [...NAMES] as string[] : [...totals.keys()].sort();
        return {
          name, values: rank.filter((value) => totals.has(value)).map((value) => ({
            value, count: totals.get(value)![0], total: totals.get(value)![1],
          })),
        };
      }).filter((facet) => facet.values.length),
    };
  }

  function put(row: Row, [given, reviewed, edited]: [number, boolean, boolean]): void {
    Object.assign(row, { given, reviewed, edited, touched: Date.now() });
  }

  function swap(from: Step[], to: Step[], side: "before" | "after") {
    const step = from.pop();
    if (step) {
      for (const [row, state] of step[side]) put(row, state);
      to.push(step);
      savedAt = Date.now();
    }
    const touched = step ? [...step.before.keys()] : [];
    return {
      label: step?.label ?? "", ids: touched.map((row) => row.id), items: touched.map((row) => toItem(row, has())),
      session: session(),
    };
  }

  function summary(list: Change[], offset: number, limit: number, reviewed: number): Changes {
    const pairs = new Map<string, number>();
    for (const change of list) {
      if (change.column !== "label") continue;
      const pair = JSON.stringify([change.old, change.new]);
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
    return {
      total: list.length, rows: new Set(list.map((change) => change.id)).size, reviewed,
      by_pair: [...pairs].sort((a, b) => b[1] - a[1]).map(([pair, n]) => {
        const [old, now] = JSON.parse(pair) as [string, string];
        return [old, now, n];
      }),
      items: list.slice(offset, offset + limit),
    };
  }

  function pendingChanges(): Change[] {
    return pendingRows().filter((row) => row.given !== row.committed).map((row) => ({
      id: row.id, thumb: row.picture, column: "label", old: NAMES[row.committed]!, new: NAMES[row.given]!,
      by: "Ada", at: row.touched,
    }));
  }

  const keptRows = () => pendingRows().filter((row) => row.given === row.committed).length;

  /** A refused or lost request behaves as on the wire: late, and with the error's own type. */
  async function wire<T>(work: () => T): Promise<T> {
    if (latency) await new Promise((resolve) => setTimeout(resolve, latency));
    if (gone) throw new Unreachable("the fake server is off");
    return work();
  }

  function once<T>(clientId: string, work: () => T): T {
    if (!answers.has(clientId)) {
      answers.set(clientId, work());
      carried.push(clientId);
      emit({ type: "session", session: session(), build: null });
    }
    return answers.get(clientId) as T;
  }

  function build(): BuildInfo {
    const commit = commits.at(-1)!.info;
    const same = reports.find((report) => report.info.commit === commit.id && report.info.status === "done");
    if (same) return { ...same.info, cached: true };
    const stages = ["decode", ...Array.from({ length: EPOCHS * 2 }, () => "train"), "check", "check"];
    const report: BuildReport = {
      info: {
        id: `${commit.id.slice(0, 4)}run${reports.length}`, status: "running", commit: commit.id,
        commit_message: commit.message, started_at: Date.now(), ended_at: null, cached: false,
        progress: { stage: "decode", done: 0, total: stages.length, loss: null, accuracy: null, seconds_left: null },
        accuracy: null, interval: null, error: null,
      },
      labels: [...NAMES], confusion: [], classes: [], epochs: [], comparison: null, log: "",
    };
    reports.unshift(report);
    running = report.info.id;
    const next = random(5);
    const step = (index: number) => {
      if (report.info.status !== "running") return;
      if (index < stages.length) {
        report.epochs = epochsUpTo(Math.max(0, Math.min(EPOCHS, Math.ceil((index - 1) / 2))));
        report.info = { ...report.info, progress: {
          stage: stages[index]!, done: index, total: stages.length,
          loss: report.epochs.at(-1)?.loss ?? null, accuracy: report.epochs.at(-1)?.accuracy ?? null,
          seconds_left: ((stages.length - index) * tick) / 1000 + next() * 0.2,
        } };
        report.log += `${stages[index]} ${index}/${stages.length}\n`;
        emit({ type: "build", session: null, build: report.info });
        setTimeout(() => step(index + 1), tick);
        return;
      }
      previous = has() ? new Map(tested().map((row) => [row, right(row)])) : new Map();
      generation++;
      score(rows, generation);
      rank();
      const finished = finishedReport(commit, report.info.started_at);
      Object.assign(report, finished, { info: { ...finished.info, id: report.info.id, ended_at: Date.now() } });
      running = null;
      emit({ type: "build", session: null, build: report.info });
      emit({ type: "session", session: session(), build: null });
    };
    setTimeout(() => step(1), tick);
    return report.info;
  }

  function reportOf(id: string): BuildReport {
    const report = reports.find((one) => one.info.id === id);
    if (!report) throw new Refused({ kind: "no-such-build", message: "This build does not exist", hint: "" }, 404);
    return report;
  }

  seed();
  return {
    carried,
    offline(now) {
      gone = now;
      for (const wake of wires) wake(now ? "closed" : "open");
      if (!now) emit({ type: "hello", session: session(), build: null });
    },
    session: () => wire(session),
    examples: (filters, order, offset, limit) => wire(() => page(filters, order, offset, limit)),
    ids: (filters, order) => wire(() => ordered(filters, order).map((row) => row.id)),
    facets: (filters) => wire(() => facets(filters)),
    example: (id) => wire(() => {
      const row = byId.get(id);
      if (!row) throw new Refused({ kind: "no-such-example", message: `\`${id}\` is not in this repository`, hint: "" }, 404);
      const item = toItem(row, has());
      const near = rows.filter((other) => other !== row && other.truth === row.truth).slice(0, 5);
      return {
        item, probabilities: has() ? probabilities(row) : [],
        losses: has() ? epochsUpTo(EPOCHS).map((e, k) => e.loss + (item.loss ?? 0) * (0.5 + (0.5 * k) / EPOCHS)) : [],
        margin: has() ? 1.2 - (item.loss ?? 0) : null, entropy: has() ? 0.31 : null,
        neighbours: near.map((other, k) => ({
          id: other.id, thumb: other.picture, given: NAMES[other.given]!, split: other.split, distance: 0.08 + k * 0.03,
        })),
        history: row.history,
        message: item.finding
          ? `The program says ${item.prediction} with probability ${item.probability!.toFixed(2)}, and its nearest neighbours agree.`
          : "",
      };
    }),
    problems: (code, offset, limit) => wire(() => {
      const list = worst
        .map((row) => ({ row, item: toItem({ ...row, reviewed: false, given: row.committed }, has()) }))
        .filter(({ item }) => item.finding && (!code || item.finding === code));
      const items = list.map(({ row, item }) => ({
        id: row.id, code: item.finding!, message: `wrong label? the program says ${item.prediction}`,
        given: NAMES[row.given]!, proposed: item.proposed, probability: item.probability, score: item.score!,
        thumb: row.picture, resolved: row.reviewed,
      }));
      return { total: items.length, open: items.filter((p) => !p.resolved).length, items: items.slice(offset, offset + limit) };
    }),
    edit: (request) => wire(() => once(request.client_id, () => {
      const touched = request.ids.map((id) => byId.get(id)!).filter(Boolean);
      const before = new Map(touched.map((row): [Row, [number, boolean, boolean]] => [row, [row.given, row.reviewed, row.edited]]));
      for (const row of touched) {
        const given = request.verb === "label" ? NAMES.indexOf(request.label as (typeof NAMES)[number])
          : request.verb === "accept" && has() ? predictionOf(row) : row.given;
        row.history.push({
          column: "label", old: NAMES[row.given]!, new: NAMES[given]!, by: "Ada", kind: "person", source: "ide",
          why: "", at: Date.now(), commit: null,
        });
        put(row, [given, true, given !== row.committed || !row.reviewedBefore]);
      }
      const after = new Map(touched.map((row): [Row, [number, boolean, boolean]] => [row, [row.given, row.reviewed, row.edited]]));
      done.push({ label: `${request.verb} ${touched.length}`, before, after });
      undone.length = 0;
      savedAt = Date.now();
      return { saved_at: savedAt, count: touched.length, items: touched.map((row) => toItem(row, has())), session: session() };
    })),
    undo: (clientId) => wire(() => once(clientId, () => swap(done, undone, "before"))),
    redo: (clientId) => wire(() => once(clientId, () => swap(undone, done, "after"))),
    pending: (offset, limit) => wire(() => summary(pendingChanges(), offset, limit, keptRows())),
    commit: (message) => wire(() => {
      const info = addCommit(message, pendingChanges());
      for (const row of pendingRows()) {
        Object.assign(row, { committed: row.given, reviewedBefore: row.reviewed, edited: false });
        for (const entry of row.history) entry.commit ??= info.id;
      }
      done.length = undone.length = 0;
      emit({ type: "session", session: session(), build: null });
      return info;
    }),
    log: (limit) => wire(() => [...commits].reverse().slice(0, limit).map((commit) => commit.info)),
    changes: (id, offset, limit) => wire(() => {
      const commit = commits.find((one) => one.info.id === id);
      if (!commit) throw new Refused({ kind: "no-such-commit", message: "This commit does not exist", hint: "" }, 404);
      return summary(commit.changes, offset, limit, 0);
    }),
    builds: () => wire(() => reports.map((report) => report.info)),
    startBuild: () => wire(build),
    cancelBuild: (id) => wire(() => {
      const report = reportOf(id);
      report.info = { ...report.info, status: "cancelled", ended_at: Date.now() };
      running = null;
      emit({ type: "build", session: null, build: report.info });
      emit({ type: "session", session: session(), build: null });
      return report.info;
    }),
    report: (id) => wire(() => reportOf(id)),
    listen(onEvent, onWire) {
      listeners.add(onEvent);
      wires.add(onWire);
      onWire(gone ? "closed" : "open");
      if (!gone) onEvent({ type: "hello", session: session(), build: null });
      return () => {
        listeners.delete(onEvent);
        wires.delete(onWire);
      };
    },
  };
}
