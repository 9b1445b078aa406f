/** The fake server's examples: which labels they bear, which they ought to, and what a program says of them. */
import { NAMES, SIDE, bitmap, pixels, random } from "./fakePictures";
import type { HistoryEntry, Item, Probability } from "./types";

export interface Row {
  id: string;
  picture: string;
  truth: number;
  committed: number;
  given: number;
  split: "train" | "test";
  reviewed: boolean;
  reviewedBefore: boolean;
  edited: boolean;
  logits: number[];
  history: HistoryEntry[];
  touched: number;
}

/** Labels that people mix up, most often first. */
const LOOKALIKE = [6, 3, 4, 0, 6, 7, 4, 5, 2, 7];

/** Four examples in five to train on; about one train label in sixteen is wrong. */
export function makeRows(count: number, seed = 7): Row[] {
  const next = random(seed);
  return Array.from({ length: count }, (_, index) => {
    const truth = Math.floor(next() * NAMES.length);
    const split = next() < 0.2 ? "test" : "train";
    const wrong = split === "train" && next() < 0.0625;
    const given = wrong ? (next() < 0.75 ? LOOKALIKE[truth]! : (truth + 3) % NAMES.length) : truth;
    return {
      id: `${split}/${String(index).padStart(5, "0")}.png`,
      picture: bitmap(pixels(truth, 1000 + index)),
      truth, committed: given, given, split,
      reviewed: false, reviewedBefore: false, edited: false, logits: [], history: [], touched: 0,
    };
  });
}

/** A program that is mostly right, less sure of look-alikes, and a little better after each correct label. */
export function score(rows: Row[], generation: number): void {
  const next = random(99 + generation);
  for (const row of rows) {
    row.logits = NAMES.map((_, label) => {
      const pull = label === row.truth ? 4.2 + generation * 0.25 : label === LOOKALIKE[row.truth] ? 1.6 : 0;
      return pull + (next() + next() + next() - 1.5) * 2.1;
    });
  }
}

export function softmax(logits: number[]): number[] {
  const top = Math.max(...logits);
  const powers = logits.map((value) => Math.exp(value - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / sum);
}

const place = (values: number[]) => values.indexOf(Math.max(...values));

export function predictionOf(row: Row): number {
  return place(row.logits);
}

export function toItem(row: Row, programmed: boolean): Item {
  const chances = programmed ? softmax(row.logits) : [];
  const said = programmed ? place(chances) : -1;
  const loss = programmed ? -Math.log(Math.max(chances[row.given]!, 1e-9)) : null;
  const doubted = programmed && said !== row.given && chances[said]! > 0.5 && row.split === "train";
  return {
    id: row.id, media: row.picture, thumb: row.picture, width: SIDE, height: SIDE,
    given: NAMES[row.given]!,
    prediction: programmed ? NAMES[said]! : null,
    probability: programmed ? chances[said]! : null,
    proposed: programmed ? NAMES[said]! : null,
    loss, split: row.split, reviewed: row.reviewed, edited: row.edited,
    finding: doubted && !row.reviewed ? "W101" : null,
    score: programmed ? 1 - chances[row.given]! : null,
  };
}

export function probabilities(row: Row): Probability[] {
  return softmax(row.logits)
    .map((value, label) => ({ label: NAMES[label]!, value }))
    .sort((a, b) => b.value - a.value);
}
