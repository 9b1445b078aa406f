import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { markOf } from "./palette";

const css = readFileSync(join(process.cwd(), "src/theme/tokens.css"), "utf8");

function tokens(theme: "dark" | "light"): Map<string, string> {
  const block = css.match(new RegExp(`color-scheme="${theme}"\\] \\{([^}]*)\\}`))?.[1] ?? "";
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-fA-F]{6});/g)].map(([, name, value]) => [name!, value!]));
}

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high! + 0.05) / (low! + 0.05);
}

const WORDS = ["text", "text-2", "text-3", "accent", "doubt", "wrong", "good"];
const LABELS = Array.from({ length: 10 }, (_, k) => `label-${k}`);

test.each(["dark", "light"] as const)("words are readable and marks visible on every ground: %s", (theme) => {
  const values = tokens(theme);
  const poor: string[] = [];
  const check = (name: string, ground: string, least: number) => {
    const found = contrast(values.get(name)!, values.get(ground)!);
    if (found < least) poor.push(`${name} on ${ground}: ${found.toFixed(2)}`);
  };
  for (const ground of ["ground", "chrome", "raised"]) {
    for (const name of WORDS) check(name, ground, 4.5);
    for (const name of LABELS) check(name, ground, 3);
  }
  for (const ground of ["hover", "pressed", "accent-wash"]) for (const name of ["text", "text-2"]) check(name, ground, 4.5);
  for (const tone of ["doubt", "good", "wrong"]) check(tone, `${tone}-wash`, 4.5);
  check("text", "doubt-wash", 4.5);
  check("accent-text", "accent-fill", 4.5);
  check("accent-text", "accent-fill-hover", 4.5);
  expect(poor).toEqual([]);
});

test("both themes have the same names", () => {
  expect([...tokens("dark").keys()].sort()).toEqual([...tokens("light").keys()].sort());
});

test("fifty labels have fifty marks, each always the same", () => {
  const marks = Array.from({ length: 50 }, (_, index) => JSON.stringify(markOf(index)));
  expect(new Set(marks).size).toBe(50);
  expect(markOf(7)).toEqual(markOf(7));
});
