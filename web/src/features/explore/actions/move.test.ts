import { expect, test } from "vitest";
import { stepFrom } from "./move";

test("steps stay inside the list", () => {
  expect(stepFrom(0, "left", 4, 10)).toBe(0);
  expect(stepFrom(9, "right", 4, 10)).toBe(9);
  expect(stepFrom(1, "up", 4, 10)).toBe(1);
  expect(stepFrom(5, "up", 4, 10)).toBe(1);
});

test("down from above a short last row goes to its last, and stays in it", () => {
  expect(stepFrom(7, "down", 4, 10)).toBe(9);
  expect(stepFrom(9, "down", 4, 10)).toBe(9);
});

test("from nowhere a step leads to the first, and in an empty list nowhere", () => {
  expect(stepFrom(-1, "right", 4, 10)).toBe(0);
  expect(stepFrom(-1, "right", 4, 0)).toBe(-1);
});
