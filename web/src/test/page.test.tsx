import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { type FakeOptions, FakeServer } from "@/api/fake";
import { Root, startApp } from "@/Root";

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  window.history.replaceState(null, "", "/");
});

async function open(options: FakeOptions = {}) {
  const server = new FakeServer({ rows: 120, latency: 0, tick: 5, ...options });
  const app = startApp(server, localStorage, sessionStorage);
  render(<Root app={app} />);
  await screen.findByTestId("statusbar-program");
  return { server, app, user: userEvent.setup() };
}

const tiles = () => screen.getAllByTestId("tile");
const message = () => screen.getByTestId("message").textContent;
const pending = () => screen.getByTestId("statusbar-pending").textContent;

test("opens on the worst example, and Enter fixes it, says so and moves on", async () => {
  const { user } = await open();
  await waitFor(() => expect(tiles()[0]).toHaveAttribute("data-current"));
  const before = tiles()[0]!.textContent;
  await user.keyboard("{Enter}");
  await waitFor(() => expect(message()).toMatch(/^Accepted .*, saved$/));
  expect(tiles()[0]!.textContent).not.toBe(before);
  expect(tiles()[1]).toHaveAttribute("data-current");
  expect(pending()).toBe("1 pending");
  await user.keyboard("z");
  await waitFor(() => expect(pending()).toBe("0 pending"));
  expect(tiles()[0]!.textContent).toBe(before);
  expect(tiles()[0]).toHaveAttribute("data-current");
});

test("a digit labels the whole selection, and says how many", async () => {
  const { user } = await open();
  await waitFor(() => expect(tiles().length).toBeGreaterThan(6));
  await user.keyboard("{Shift>}{ArrowRight}{/Shift}");
  await user.keyboard("{Shift>}{ArrowRight}{/Shift}");
  await waitFor(() => expect(screen.getByTestId("counts")).toHaveTextContent("3 selected"));
  await user.keyboard("5");
  await waitFor(() => expect(message()).toBe("Labelled 3 examples Coat, saved"));
});

test("with the server gone, edits wait and say so; when it is back they arrive once each", async () => {
  const { user, server } = await open();
  await waitFor(() => expect(tiles().length).toBeGreaterThan(6));
  act(() => server.offline(true));
  await user.keyboard("xxx");
  expect(await screen.findByTestId("connection")).toHaveTextContent("not connected · 3 edits wait");
  act(() => server.offline(false));
  await waitFor(() => expect(pending()).toBe("3 pending"));
  expect(server.carried).toHaveLength(3);
  expect(screen.queryByTestId("connection")).toBeNull();
});

test("edits are committed under a proposed message and built, and the build leads to the new worst first", async () => {
  const { user } = await open();
  await waitFor(() => expect(tiles().length).toBeGreaterThan(6));
  await user.keyboard("{Enter}{Enter}");
  await waitFor(() => expect(pending()).toBe("2 pending"));
  await user.click(screen.getByTestId("statusbar-pending"));
  expect((await screen.findByTestId<HTMLTextAreaElement>("commit-message")).value).toMatch(/^Relabel 2 examples/);
  await user.click(screen.getByTestId("commit-and-build"));
  expect(await screen.findByTestId("accuracy-before")).toBeVisible();
  await waitFor(() => expect(message()).toMatch(/^Build finished/));
  await user.click(screen.getByRole("button", { name: "See the new worst first" }));
  await waitFor(() => expect(tiles()[0]).toHaveAttribute("data-current"));
});

test("the address is the view: filters go into it, and back takes them out", async () => {
  const { user } = await open();
  const label = (await screen.findAllByRole("button", { name: /^Trouser/ }))[0]!;
  await user.click(label);
  await waitFor(() => expect(window.location.search).toContain("label=Trouser"));
  await user.click(screen.getByRole("button", { name: "Remove the filter Label Trouser" }));
  await waitFor(() => expect(window.location.search).not.toContain("Trouser"));
});

test("every control has a name, in both languages", async () => {
  const { user } = await open();
  await waitFor(() => expect(tiles().length).toBeGreaterThan(6));
  for (const round of ["en", "zh-Hans"]) {
    for (const view of ["1", "2", "3", "4", "5", "6"]) {
      await user.keyboard(`{Alt>}${view}{/Alt}`);
      const controls = [...document.querySelectorAll("button, input:not([type=hidden]), textarea, [role=slider], [tabindex='0']")];
      const nameless = controls.filter((one) => !named(one));
      expect(nameless.map((one) => one.outerHTML)).toEqual([]);
    }
    expect(document.documentElement.lang).toBe(round);
    await user.click(within(screen.getByRole("contentinfo")).getByRole("button", { name: /中文|EN/ }));
  }
});

function named(control: Element): boolean {
  const label = control.id ? document.querySelector(`label[for="${CSS.escape(control.id)}"]`) : null;
  const words = [control.getAttribute("aria-label"), control.textContent, label?.textContent, control.closest("label")?.textContent];
  return words.some((one) => one?.trim());
}

test("a repository with no program says what to do next, and a first build does it", async () => {
  const { user } = await open({ programmed: false });
  await user.click((await screen.findAllByRole("button", { name: "Build a first program" }))[0]!);
  await waitFor(() => expect(screen.getByTestId("accuracy-after")).toBeVisible());
  await waitFor(() => expect(tiles()[0]!.textContent).toContain("the program says"));
});

test("an empty repository names the command that fills it", async () => {
  await open({ rows: 0, programmed: false });
  expect(await screen.findByText("sw2 add pictures/")).toBeVisible();
});
