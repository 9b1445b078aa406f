/** The fake server's builds: a clock that ticks through the stages, and the report at the end. */
import { predictionOf } from "./fakeData";
import { NAMES } from "./fakePictures";
import { type FakeWorld, right } from "./fakeWorld";
import type { BuildInfo, BuildReport, CommitInfo, Comparison, Epoch } from "./types";

const EPOCHS = 8;
const STAGES = ["check", ...Array.from({ length: EPOCHS * 2 }, () => "train"), "decode", "decode"];

function wilson(p: number, n: number): [number, number] {
  const z = 1.96;
  const middle = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [middle - half, middle + half];
}

export function epochsUpTo(number: number): Epoch[] {
  return Array.from({ length: number }, (_, index) => ({
    epoch: index + 1,
    loss: 0.28 + 1.7 * Math.exp(-index / 1.8) + 0.02 * Math.sin(index * 2),
    accuracy: 0.88 - 0.35 * Math.exp(-index / 1.5) + 0.004 * Math.sin(index * 3),
  }));
}

function compared(world: FakeWorld, before: string): Comparison | null {
  if (!world.previous.size) return null;
  const all = world.tested;
  const n = all.length;
  const [was, now] = [all.filter((row) => world.previous.get(row)).length, all.filter(right).length];
  const better = all.filter((row) => right(row) && !world.previous.get(row)).length;
  const worse = all.filter((row) => !right(row) && world.previous.get(row)).length;
  const difference = (now - was) / n;
  const spread = (1.96 * Math.sqrt(better + worse)) / n;
  return {
    before, before_accuracy: was / n, before_interval: wilson(was / n, n), after_accuracy: now / n,
    after_interval: wilson(now / n, n), difference_interval: [difference - spread, difference + spread], better, worse,
    tested: n,
  };
}

/** The confusion matrix of the newest program, and each label's figures. */
function judged(world: FakeWorld): Pick<BuildReport, "confusion" | "classes"> {
  const confusion = NAMES.map(() => NAMES.map(() => 0));
  for (const row of world.tested) confusion[row.given]![predictionOf(row)]!++;
  const classes = NAMES.map((label, k) => {
    const support = confusion[k]!.reduce((a, b) => a + b, 0);
    const claimed = confusion.reduce((sum, line) => sum + line[k]!, 0);
    const hit = confusion[k]![k]!;
    return { label, precision: claimed ? hit / claimed : null, recall: support ? hit / support : null, support };
  });
  return { confusion, classes };
}

function aReport(commit: CommitInfo, id: string, at: number): BuildReport {
  return {
    info: {
      id, status: "running", commit: commit.id, commit_message: commit.message, started_at: at, ended_at: null,
      cached: false, accuracy: null, interval: null, error: null,
      progress: { stage: STAGES[0]!, done: 0, total: STAGES.length, loss: null, accuracy: null, seconds_left: null },
    },
    labels: [...NAMES], confusion: [], classes: [], epochs: [], comparison: null, log: "",
  };
}

export class FakeBuilds {
  readonly reports: BuildReport[] = [];
  running: string | null = null;

  constructor(
    private readonly world: FakeWorld,
    private readonly tick: number,
    private readonly tell: (build: BuildInfo) => void,
  ) {}

  /** A build of long ago, so that the page opens with a program. */
  remember(commit: CommitInfo): void {
    const report = aReport(commit, `${commit.id.slice(0, 12)}a3f2`, commit.at);
    this.reports.unshift(report);
    this.finish(report, commit.at + 41_000);
  }

  start(): BuildInfo {
    const commit = this.world.commits.at(-1)!.info;
    const same = this.reports.find(({ info }) => info.commit === commit.id && info.status === "done");
    if (same) return { ...same.info, cached: true };
    const report = aReport(commit, `${commit.id.slice(0, 12)}b0${this.reports.length}1`, Date.now());
    this.reports.unshift(report);
    this.running = report.info.id;
    setTimeout(() => this.step(report, 1), this.tick);
    return report.info;
  }

  cancel(report: BuildReport): BuildInfo {
    report.info = { ...report.info, status: "cancelled", progress: null, ended_at: Date.now() };
    this.running = null;
    this.tell(report.info);
    return report.info;
  }

  private step(report: BuildReport, done: number): void {
    if (report.info.status !== "running") return;
    if (done === STAGES.length) {
      this.running = null;
      this.finish(report, Date.now());
      return this.tell(report.info);
    }
    const stage = STAGES[done]!;
    report.epochs = epochsUpTo(Math.max(0, Math.min(EPOCHS, Math.ceil((done - 1) / 2))));
    const last = report.epochs.at(-1);
    report.info = { ...report.info, progress: {
      stage, done, total: STAGES.length, loss: last?.loss ?? null, accuracy: last?.accuracy ?? null,
      seconds_left: ((STAGES.length - done) * this.tick) / 1000,
    } };
    report.log += `${stage} ${done}/${STAGES.length}\n`;
    this.tell(report.info);
    setTimeout(() => this.step(report, done + 1), this.tick);
  }

  private finish(report: BuildReport, at: number): void {
    this.world.learn();
    const all = this.world.tested;
    const accuracy = all.filter(right).length / all.length;
    const epochs = epochsUpTo(EPOCHS);
    const log = epochs.map((e) => `epoch ${e.epoch}/8  loss ${e.loss.toFixed(3)}  accuracy ${(e.accuracy! * 100).toFixed(1)} %`);
    Object.assign(report, judged(this.world), {
      epochs, comparison: compared(this.world, this.reports[1]?.info.id ?? ""),
      log: [`read ${this.world.rows.length} examples`, ...log, "wrote program.sw2b, 96 kB"].join("\n"),
    });
    report.info = {
      ...report.info, status: "done", ended_at: at, progress: null, accuracy, interval: wilson(accuracy, all.length),
    };
  }
}
