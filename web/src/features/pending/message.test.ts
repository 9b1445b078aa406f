import { expect, test } from "vitest";
import { commitMessage } from "./message";

test("the proposed message counts and names what was relabelled", () => {
  expect(commitMessage({ by_pair: [["Shirt", "Coat", 5], ["Bag", "Coat", 1]], reviewed: 0 }))
    .toBe("Relabel 6 examples (Shirt → Coat 5, Bag → Coat 1)");
});

test("more than three pairs are cut short, and what was kept comes after", () => {
  const by_pair = [["a", "b", 4], ["c", "d", 3], ["e", "f", 2], ["g", "h", 1]] as [string, string, number][];
  expect(commitMessage({ by_pair, reviewed: 2 }))
    .toBe("Relabel 10 examples (a → b 4, c → d 3, e → f 2, …)\n\nKeep 2 labels as reviewed");
});

test("one is written in the singular, and nothing as nothing", () => {
  expect(commitMessage({ by_pair: [], reviewed: 1 })).toBe("Keep 1 label as reviewed");
  expect(commitMessage({ by_pair: [], reviewed: 0 })).toBe("");
});
