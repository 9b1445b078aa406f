/** Scenes for looking at the page without a server: `?scene=empty`, `?scene=first`, else a repository with a program. */
import { FakeServer } from "./fake";

export function fakeFromAddress(search: string): FakeServer {
  const scene = new URLSearchParams(search).get("scene");
  const server = new FakeServer({
    rows: scene === "empty" ? 0 : 1000, programmed: scene !== "first" && scene !== "empty",
    planted: scene === null || scene === "first",
  });
  // For the scripts that take pictures of the page: they cut the wire from the outside.
  Object.assign(window, { sw2fake: server });
  return server;
}
