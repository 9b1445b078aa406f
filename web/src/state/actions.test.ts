import { expect, test } from "vitest";
import { allActions } from "@/features/shell";
import { caps, chord } from "./actions";

const labels = [{ name: "Coat", index: 0, key: "1" }, { name: "Bag", index: 10, key: "" }];
const press = (key: string, held: Partial<KeyboardEventInit> = {}) =>
  chord({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held });

test("no two actions share a key or a name", () => {
  const actions = allActions(labels);
  const keys = actions.flatMap((action) => action.keys);
  expect(keys.filter((key, k) => keys.indexOf(key) !== k)).toEqual([]);
  const names = actions.map((action) => action.name);
  expect(new Set(names).size).toBe(names.length);
});

test("key presses are read the same with Ctrl and Command, and with capitals on", () => {
  expect(press("k", { ctrlKey: true })).toBe("Mod+k");
  expect(press("k", { metaKey: true })).toBe("Mod+k");
  expect(press("X")).toBe("x");
  expect(press("Z", { shiftKey: true })).toBe("Shift+z");
  expect(press("?", { shiftKey: true })).toBe("?");
  expect(press("+", { shiftKey: true })).toBe("+");
  expect(press(" ")).toBe("Space");
  expect(press("ArrowDown", { shiftKey: true })).toBe("Shift+ArrowDown");
});

test("key caps are written as they are on the keyboard", () => {
  expect(caps("Mod+k", false)).toEqual(["Ctrl", "K"]);
  expect(caps("Mod+k", true)).toEqual(["⌘", "K"]);
  expect(caps("+")).toEqual(["+"]);
  expect(caps("Enter")).toEqual(["↵"]);
});
