/** The fake server's repository: examples, the stage with undo and redo, commits, and the questions about them. */
import { type Row, makeRows, predictionOf, score, softmax, toItem } from "./fakeData";
import { NAMES } from "./fakePictures";
import type { Change, Changes, CommitInfo, EditRequest, Facets, Filters, HistoryEntry, Item, Order, Page } from "./types";
import { FACETS, type FacetName } from "./types";

type Cells = [given: number, reviewed: boolean, edited: boolean];

interface Step {
  label: string;
  before: Map<Row, Cells>;
  after: Map<Row, Cells>;
}

const START = Date.UTC(2026, 10, 23, 9, 30);
const HOUR = 3_600_000;

export const right = (row: Row) => predictionOf(row) === row.given;

const cellsOf = (rows: Iterable<Row>) =>
  new Map([...rows].map((row): [Row, Cells] => [row, [row.given, row.reviewed, row.edited]]));

const byYou = (old: number, now: number): HistoryEntry => ({
  column: "label", old: NAMES[old]!, new: NAMES[now]!, by: "Ada", kind: "person", source: "ide", why: "",
  at: Date.now(), commit: null,
});

export class FakeWorld {
  readonly rows: Row[];
  readonly byId: Map<string, Row>;
  readonly planted: Row[];
  readonly done: Step[] = [];
  readonly undone: Step[] = [];
  readonly commits: { info: CommitInfo; changes: Change[] }[] = [];
  savedAt: number | null = null;
  /** How many programs there have been; 0 is none. */
  generation = 0;
  /** Which test examples the program before had right. */
  previous = new Map<Row, boolean>();
  worst: Row[];
  private clock = START;

  constructor(count: number) {
    this.rows = makeRows(count);
    this.worst = this.rows;
    this.byId = new Map(this.rows.map((row) => [row.id, row]));
    this.planted = this.rows.filter((row) => row.given !== row.truth);
    if (count) this.begin(count);
  }

  private begin(count: number): void {
    this.addCommit(`Add ${count} pictures`, []);
    const some = this.rows.filter((row) => row.given === row.truth && row.split === "train").slice(0, 14);
    const edits = some.map((row): Change => ({
      id: row.id, thumb: row.picture, column: "label", old: NAMES[(row.truth + 2) % 10]!, new: NAMES[row.given]!,
      by: "Ada", at: this.clock,
    }));
    const { id } = this.addCommit("Relabel 14 examples after the first look", edits);
    for (const row of some) {
      row.reviewedBefore = row.reviewed = true;
      row.history.push({ ...byYou((row.truth + 2) % 10, row.given), at: this.clock, commit: id });
    }
  }

  get programmed(): boolean {
    return this.generation > 0;
  }

  get tested(): Row[] {
    return this.rows.filter((row) => row.split === "test");
  }

  get pendingRows(): Row[] {
    return this.rows.filter((row) => row.edited);
  }

  /** A new program: what it says of each example, and so which are the worst. */
  learn(): void {
    this.previous = this.programmed ? new Map(this.tested.map((row) => [row, right(row)])) : new Map();
    score(this.rows, ++this.generation);
    const doubt = (row: Row) => softmax(row.logits)[row.given]!;
    this.worst = [...this.rows].sort((a, b) => doubt(a) - doubt(b));
  }

  item(row: Row): Item {
    return toItem(row, this.programmed);
  }

  addCommit(message: string, changes: Change[]): CommitInfo {
    this.clock += HOUR;
    const info: CommitInfo = {
      id: (0x9e3779b97f4a7c15n * BigInt(this.commits.length + 3)).toString(16).slice(-16).repeat(4),
      message, author: "Ada", at: this.commits.length < 2 ? this.clock : Date.now(), edits: changes.length,
      parents: this.commits.slice(-1).map((commit) => commit.info.id),
    };
    this.commits.push({ info, changes });
    return info;
  }

  commit(message: string): CommitInfo {
    const info = this.addCommit(message, this.pendingChanges());
    for (const row of this.pendingRows) {
      Object.assign(row, { committed: row.given, reviewedBefore: row.reviewed, edited: false });
      for (const entry of row.history) entry.commit ??= info.id;
    }
    this.done.length = this.undone.length = 0;
    return info;
  }

  edit(request: EditRequest): Row[] {
    const rows = request.ids.flatMap((id) => this.byId.get(id) ?? []);
    const before = cellsOf(rows);
    for (const row of rows) {
      const given = this.labelAfter(row, request);
      row.history.push(byYou(row.given, given));
      this.put(row, [given, true, given !== row.committed || !row.reviewedBefore]);
    }
    this.done.push({ label: `${request.verb} ${rows.length}`, before, after: cellsOf(rows) });
    this.undone.length = 0;
    this.savedAt = Date.now();
    return rows;
  }

  private labelAfter(row: Row, { verb, label }: EditRequest): number {
    if (verb === "label") return NAMES.indexOf(label as (typeof NAMES)[number]);
    return verb === "accept" && this.programmed ? predictionOf(row) : row.given;
  }

  private put(row: Row, [given, reviewed, edited]: Cells): void {
    Object.assign(row, { given, reviewed, edited, touched: Date.now() });
  }

  /** Undo, or with `again` redo; what it touched. */
  stepBack(again = false): { label: string; rows: Row[] } {
    const [from, to] = again ? [this.undone, this.done] : [this.done, this.undone];
    const step = from.pop();
    if (!step) return { label: "", rows: [] };
    for (const [row, cells] of again ? step.after : step.before) this.put(row, cells);
    to.push(step);
    this.savedAt = Date.now();
    return { label: step.label, rows: [...step.before.keys()] };
  }

  pendingChanges(): Change[] {
    return this.pendingRows.filter((row) => row.given !== row.committed).map((row) => ({
      id: row.id, thumb: row.picture, column: "label", old: NAMES[row.committed]!, new: NAMES[row.given]!,
      by: "Ada", at: row.touched,
    }));
  }

  /** Rows that a person looked at and left as they were. */
  keptChanges(): Change[] {
    return this.pendingRows.filter((row) => row.given === row.committed).map((row) => ({
      id: row.id, thumb: row.picture, column: "reviewed", old: "false", new: "true", by: "Ada", at: row.touched,
    }));
  }

  private values(row: Row, item: Item): Record<FacetName, string[]> {
    const was = this.previous.get(row);
    const turned = was !== undefined && was !== right(row);
    return {
      split: [row.split], label: [item.given!], prediction: item.prediction ? [item.prediction] : [],
      finding: this.programmed ? [item.finding ?? "none"] : [],
      state: [
        ...(item.edited ? ["edited"] : []), item.reviewed ? "reviewed" : "unreviewed",
        ...(item.prediction && item.prediction !== item.given ? ["disagree"] : []),
      ],
      change: turned ? [was ? "worse" : "better"] : [],
    };
  }

  private matches(row: Row, filters: Filters, except?: FacetName): boolean {
    if (filters.q && !row.id.includes(filters.q)) return false;
    const own = this.values(row, this.item(row));
    return FACETS.every((name) =>
      name === except || !filters[name].length || filters[name].some((value) => own[name].includes(value)));
  }

  ordered(filters: Filters, order: Order): Row[] {
    const list = (order === "worst" ? this.worst : this.rows).filter((row) => this.matches(row, filters));
    const sure = (row: Row) => Math.max(...softmax(row.logits));
    if (order === "uncertain" && this.programmed) return [...list].sort((a, b) => sure(a) - sure(b));
    return order === "recent" ? [...list].sort((a, b) => b.touched - a.touched) : list;
  }

  page(filters: Filters, order: Order, offset: number, limit: number): Page {
    const list = this.ordered(filters, order);
    const losses = this.programmed ? list.map((row) => this.item(row).loss ?? 0) : [];
    const points = Math.min(200, losses.length);
    return {
      total: this.rows.length, filtered: list.length, offset,
      items: list.slice(offset, offset + limit).map((row) => this.item(row)),
      losses: Array.from({ length: points }, (_, k) => losses[Math.floor((k * losses.length) / points)]!),
    };
  }

  facets(filters: Filters): Facets {
    const facets = FACETS.map((name) => {
      const found = new Map<string, [count: number, total: number]>();
      for (const row of this.rows) {
        const inView = this.matches(row, filters, name) ? 1 : 0;
        for (const value of this.values(row, this.item(row))[name]) {
          const [count, total] = found.get(value) ?? [0, 0];
          found.set(value, [count + inView, total + 1]);
        }
      }
      const names: string[] = name === "label" || name === "prediction" ? [...NAMES] : [...found.keys()].sort();
      const values = names.flatMap((value) => {
        const [count, total] = found.get(value) ?? [0, 0];
        return total ? [{ value, count, total }] : [];
      });
      return { name, values };
    });
    const filtered = this.rows.filter((row) => this.matches(row, filters)).length;
    return { total: this.rows.length, filtered, facets: facets.filter((facet) => facet.values.length > 0) };
  }
}

export function summary(list: Change[], kept: Change[], offset: number, limit: number): Changes {
  const pairs = new Map<string, number>();
  for (const change of list) {
    const pair = JSON.stringify([change.old, change.new]);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  const by_pair = [...pairs].sort((a, b) => b[1] - a[1]).map(([pair, count]): [string, string, number] => {
    const [old, now] = JSON.parse(pair) as [string, string];
    return [old, now, count];
  });
  const all = [...list, ...kept];
  return { total: all.length, rows: all.length, reviewed: kept.length, by_pair, items: all.slice(offset, offset + limit) };
}
