import { expect, test } from "vitest";
import { clear, extendTo, moveTo, NO_SELECTION, selectAll, targets, toggle } from "./selection";

test("a key works on the current example when nothing is selected", () => {
  expect(targets(moveTo(NO_SELECTION, "a", 0))).toEqual(["a"]);
  expect(targets(NO_SELECTION)).toEqual([]);
});

test("ctrl-click adds to what was clicked before, and takes out again", () => {
  const both = toggle(moveTo(NO_SELECTION, "a", 0), "b", 1);
  expect(targets(both)).toEqual(["a", "b"]);
  expect(targets(toggle(both, "a", 0))).toEqual(["b"]);
});

test("ctrl-click does not add the example that is current only because the page opened there", () => {
  const opened = moveTo(NO_SELECTION, "a", 0, false);
  expect(targets(toggle(opened, "c", 2))).toEqual(["c"]);
});

test("a range keeps its anchor while it grows", () => {
  const start = moveTo(NO_SELECTION, "a", 4);
  const range = extendTo(start, ["a", "b", "c"], "c", 6);
  expect(range).toMatchObject({ anchor: 4, index: 6, current: "c" });
  expect(targets(range)).toEqual(["a", "b", "c"]);
});

test("clearing keeps the current example", () => {
  const all = selectAll(moveTo(NO_SELECTION, "a", 0), ["a", "b"]);
  expect(targets(clear(all))).toEqual(["a"]);
});
