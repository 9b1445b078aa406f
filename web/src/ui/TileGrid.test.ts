import { expect, test } from "vitest";
import { tilesWithin } from "./TileGrid";

const shape = { columns: 3, width: 100, height: 100, gapX: 10, gapY: 10, count: 8 };

test("a rectangle selects the tiles that it touches", () => {
  expect(tilesWithin({ left: 50, top: 50, right: 150, bottom: 150 }, shape)).toEqual([0, 1, 3, 4]);
});

test("a rectangle in the gap between the columns selects nothing", () => {
  expect(tilesWithin({ left: 101, top: 0, right: 109, bottom: 90 }, shape)).toEqual([]);
});

test("a rectangle past the end selects only what is there", () => {
  expect(tilesWithin({ left: 0, top: 230, right: 900, bottom: 900 }, shape)).toEqual([6, 7]);
});
