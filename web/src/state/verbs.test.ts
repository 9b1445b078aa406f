import { expect, test } from "vitest";
import type { Item } from "@/api/types";
import { decide, doubt } from "./verbs";

const anItem = (change: Partial<Item> = {}): Item => ({
  id: "a", media: "", thumb: "", width: 28, height: 28, given: "Shirt", prediction: "Coat", probability: 0.97,
  proposed: "Coat", loss: 4.1, split: "train", reviewed: false, edited: false, finding: "W101", score: 0.9, ...change,
});

test("accepting takes the proposed label, keeping the given one, labelling any other", () => {
  expect(decide(anItem(), { verb: "accept" })).toMatchObject({ given: "Coat", reviewed: true, edited: true, finding: null });
  expect(decide(anItem(), { verb: "keep" })).toMatchObject({ given: "Shirt", reviewed: true, finding: null });
  expect(decide(anItem(), { verb: "label", label: "Bag" })).toMatchObject({ given: "Bag", reviewed: true });
});

test("a decision changes no other value, and not the item itself", () => {
  const item = anItem();
  decide(item, { verb: "accept" });
  expect(item).toEqual(anItem());
});

test("agreement, and what a person has decided, is no doubt", () => {
  expect(doubt(anItem())).toBe("Coat");
  expect(doubt(anItem({ given: "Coat" }))).toBeNull();
  expect(doubt(anItem({ reviewed: true }))).toBeNull();
  expect(doubt(anItem({ proposed: null, prediction: null }))).toBeNull();
});
