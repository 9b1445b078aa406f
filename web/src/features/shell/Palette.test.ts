import { expect, test } from "vitest";
import { matchScore } from "./Palette";

test("the words themselves come before the beginnings of words, and letters anywhere do not match", () => {
  expect(matchScore("Label as Coat", "coat")).toBeGreaterThan(matchScore("Raincoat", "coat"));
  expect(matchScore("Raincoat", "coat")).toBeGreaterThan(matchScore("Commit or annul this", "coat"));
  expect(matchScore("Label as Coat", "lc")).toBeGreaterThan(0);
  expect(matchScore("Clear the selection; leave the large picture", "coat")).toBe(-1);
});
