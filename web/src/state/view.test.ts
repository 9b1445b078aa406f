import { expect, test } from "vitest";
import { FIRST_VIEW, formatView, NO_FILTERS, parseView, stepSize, toggleFacet, type View } from "./view";

const aView = (change: Partial<View>): View => ({ ...FIRST_VIEW, ...change });

test("a plain view has a plain address", () => {
  expect(formatView(FIRST_VIEW)).toBe("");
});

test("a view survives being written into the address and read again", () => {
  const view = aView({
    view: "problems", order: "uncertain", id: "train/a b&c.png", size: 168, code: "W101",
    filters: { ...NO_FILTERS, label: ["Coat", "外套"], split: ["test"], q: "00 1" },
  });
  expect(parseView(formatView(view))).toEqual(view);
});

test("nonsense in the address is read as the first view", () => {
  expect(parseView("?view=nothing&order=loud&size=9999&token=x")).toEqual(aView({ size: 224 }));
});

test("a click shows one value, a second click all of them, shift adds", () => {
  const coat = toggleFacet(NO_FILTERS, "label", "Coat", false);
  expect(coat.label).toEqual(["Coat"]);
  expect(toggleFacet(coat, "label", "Shirt", true).label).toEqual(["Coat", "Shirt"]);
  expect(toggleFacet(coat, "label", "Shirt", false).label).toEqual(["Shirt"]);
  expect(toggleFacet(coat, "label", "Coat", false).label).toEqual([]);
  expect(NO_FILTERS.label).toEqual([]);
});

test("tile sizes stop at their ends", () => {
  expect(stepSize(56, -1)).toBe(56);
  expect(stepSize(112, 1)).toBe(140);
  expect(stepSize(224, 1)).toBe(224);
});
