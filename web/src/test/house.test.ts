import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { en } from "@/i18n/en";
import { zh } from "@/i18n/zh";

const SRC = join(process.cwd(), "src");

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

const sources = files(SRC).filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$|[/\\]schema\.ts$/.test(path));
const text = new Map(sources.map((path) => [relative(SRC, path), readFileSync(path, "utf8")]));
const roomOf = (path: string) => path.match(/^features\/([^/]+)/)?.[1];

test("no feature imports another feature's inside", () => {
  const faults: string[] = [];
  for (const [path, body] of text) {
    for (const [, feature, inside] of body.matchAll(/from "@\/features\/([^/"]+)(\/[^"]*)?"/g)) {
      if (inside && roomOf(path) !== feature) faults.push(`${path} imports ${feature}${inside}`);
    }
  }
  expect(faults).toEqual([]);
});

test("only the shell and the root know the features; what is shared knows none", () => {
  const faults = [...text].filter(([path, body]) =>
    body.includes('from "@/features/') && !["shell", undefined].includes(roomOf(path)) );
  expect(faults.map(([path]) => path)).toEqual([]);
  const shared = [...text].filter(([path, body]) => /^(api|ui|state|i18n|theme)\//.test(path) && body.includes("@/features/"));
  expect(shared.map(([path]) => path)).toEqual([]);
});

test("fetch and EventSource are called in one file", () => {
  const callers = [...text].filter(([, body]) => /\bfetch\(|new EventSource\(/.test(body)).map(([path]) => path);
  const allowed = callers.filter((path) => !/useExamples|useProblems|pages|useChanges|Pending|History/.test(path));
  expect(allowed).toEqual(["api/client.ts"]);
});

const base = (key: string) => key.replace(/_(one|other)$/, "");

test("both catalogues have the same keys, and every plural has its `other`", () => {
  expect([...new Set(Object.keys(zh).map(base))].sort()).toEqual([...new Set(Object.keys(en).map(base))].sort());
  const plurals = Object.keys(en).filter((key) => key.endsWith("_one")).map(base);
  for (const key of plurals) expect(Object.keys(en)).toContain(`${key}_other`);
});

test("a translation keeps the places for values", () => {
  const places = (words: string) => [...new Set(words.match(/\{\{\w+\}\}/g) ?? [])].sort().join(" ");
  const differ = Object.entries(zh).filter(([key, words]) => places(words) !== places(en[key as keyof typeof en]));
  expect(differ.filter(([key]) => en[key as keyof typeof en] !== "").map(([key]) => key)).toEqual([]);
});

test("every key that is asked for exists", () => {
  const keys = new Set(Object.keys(en).map(base));
  const missing: string[] = [];
  for (const [path, body] of text) {
    for (const [, key] of body.matchAll(/\bt\("([^"]+)"/g)) if (!keys.has(key!)) missing.push(`${path}: ${key}`);
    for (const [, prefix] of body.matchAll(/\bt\(`([^`$]+)\$\{/g)) {
      if (![...keys].some((key) => key.startsWith(prefix!))) missing.push(`${path}: ${prefix}…`);
    }
  }
  expect(missing).toEqual([]);
});

test("every key in the catalogue is used", () => {
  const all = [...text.entries()].filter(([path]) => !path.startsWith("i18n/e") && !path.startsWith("i18n/z")).map(([, body]) => body).join("\n");
  const unused = [...new Set(Object.keys(en).map(base))].filter((key) => {
    if (all.includes(`"${key}"`)) return false;
    // Built names: `facet.${name}`, known("stage", …), `done.${verb}.one`.
    return !key.split(".").some((_, k, parts) => {
      const prefix = parts.slice(0, k + 1).join(".");
      return all.includes(`\`${prefix}.\${`) || all.includes(`known("${prefix}"`) || all.includes(`known(facet`) && /^(split|finding|state|change)\./.test(key);
    });
  });
  expect(unused).toEqual([]);
});

test("no words for the reader are written into the components", () => {
  const faults: string[] = [];
  for (const [path, body] of text) {
    if (!path.endsWith(".tsx")) continue;
    const markup = body.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    for (const [, words] of markup.matchAll(/>([^<>{}=;()]*[A-Za-z\u4e00-\u9fff]{2,}[^<>{}=;()]*)<\//g)) {
      const plain = words!.trim();
      // The one command that is the same in every language.
      if (plain && plain !== "sw2 add pictures/") faults.push(`${path}: ${plain}`);
    }
    for (const [, name, words] of markup.matchAll(/\b(aria-label|title|placeholder|alt)="([^"]+)"/g)) faults.push(`${path}: ${name}=${words}`);
  }
  expect(faults).toEqual([]);
});

test("files and functions stay small enough to read", () => {
  const long = [...text].filter(([, body]) => body.split("\n").length > 800).map(([path]) => path);
  for (const [path, body] of text) {
    const file = ts.createSourceFile(path, body, ts.ScriptTarget.Latest, true, path.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
    const line = (at: number) => file.getLineAndCharacterOfPosition(at).line;
    const visit = (node: ts.Node): void => {
      if (ts.isFunctionLike(node) && line(node.end) - line(node.getStart()) >= 80) long.push(`${path}: ${node.name?.getText() ?? "?"}`);
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  expect(long).toEqual([]);
});
