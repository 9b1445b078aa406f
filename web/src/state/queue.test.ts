import { beforeEach, expect, test, vi } from "vitest";
import { Refused, Unreachable } from "@/api/client";
import type { EditAnswer, EditRequest } from "@/api/types";
import { adopted, EditQueue, EMPTY_QUEUE, type Entry, pushed, shifted, takenBack } from "./queue";

const anEdit = (name: string): Extract<Entry, { kind: "edit" }> => ({
  kind: "edit", tried: false, before: [], request: { client_id: name, verb: "keep", ids: ["a"], label: null },
});
const answer = { saved_at: 1, count: 1, items: [], session: {} } as unknown as EditAnswer;

/** A server that can be switched off, and that can do the work and lose the answer. */
function aServer() {
  const carried: string[] = [];
  const server = {
    carried, gone: false, loseAnswers: 0, refuse: null as Refused | null,
    edit(request: EditRequest): Promise<EditAnswer> {
      if (server.gone) return Promise.reject(new Unreachable("gone"));
      if (server.refuse) return Promise.reject(server.refuse);
      if (!carried.includes(request.client_id)) carried.push(request.client_id);
      if (server.loseAnswers-- > 0) return Promise.reject(new Unreachable("cut"));
      return Promise.resolve(answer);
    },
    undo: () => Promise.reject(new Unreachable("not here")),
    redo: () => Promise.reject(new Unreachable("not here")),
  };
  return server;
}

function aQueue(server = aServer()) {
  const saved: string[] = [];
  const refused: string[] = [];
  const queue = new EditQueue(server, {
    saved: (entry) => saved.push(entry.request.client_id),
    refused: (entry) => refused.push(entry.request.client_id),
  }, localStorage);
  return { server, queue, saved, refused };
}

const settle = () => vi.advanceTimersByTimeAsync(60_000);

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers();
});

test("pushing and shifting leave the old state as it was", () => {
  const one = pushed(EMPTY_QUEUE, anEdit("1"));
  expect(EMPTY_QUEUE.waiting).toEqual([]);
  expect(shifted(one).waiting).toEqual([]);
  expect(one.waiting).toHaveLength(1);
});

test("edits arrive in order, and are saved only when the server has answered", async () => {
  const { queue, saved } = aQueue();
  for (const name of ["1", "2", "3"]) queue.push(anEdit(name));
  expect(saved).toEqual([]);
  await settle();
  expect(saved).toEqual(["1", "2", "3"]);
  expect(queue.store.get().waiting).toEqual([]);
});

test("while the server is gone edits wait, and they arrive once each when it is back", async () => {
  const { server, queue, saved } = aQueue();
  server.gone = true;
  for (const name of ["1", "2", "3"]) queue.push(anEdit(name));
  await vi.advanceTimersByTimeAsync(700);
  expect(queue.store.get()).toMatchObject({ reachable: false });
  expect(queue.store.get().waiting).toHaveLength(3);
  server.gone = false;
  await settle();
  expect(server.carried).toEqual(["1", "2", "3"]);
  expect(saved).toEqual(["1", "2", "3"]);
  expect(queue.store.get().reachable).toBe(true);
});

test("an answer that was lost is asked for again under the same name", async () => {
  const { server, queue, saved } = aQueue();
  server.loseAnswers = 1;
  queue.push(anEdit("1"));
  await settle();
  expect(server.carried).toEqual(["1"]);
  expect(saved).toEqual(["1"]);
});

test("a reload loses nothing: the next page takes the edits over and sends them", async () => {
  const before = aQueue();
  before.server.gone = true;
  before.queue.open("/data", "page-1");
  before.queue.push(anEdit("1"));
  before.queue.push(anEdit("2"));
  await vi.advanceTimersByTimeAsync(10);
  vi.clearAllTimers();
  const after = aQueue();
  after.queue.open("/data", "page-2");
  await settle();
  expect(after.server.carried).toEqual(["1", "2"]);
  expect(Object.keys(localStorage)).toEqual([]);
});

test("edits of another repository stay where they are", async () => {
  const before = aQueue();
  before.server.gone = true;
  before.queue.open("/one", "page-1");
  before.queue.push(anEdit("1"));
  const after = aQueue();
  after.queue.open("/two", "page-1");
  await vi.advanceTimersByTimeAsync(10);
  expect(after.server.carried).toEqual([]);
});

test("an edit that is taken over twice is there once", () => {
  const state = pushed(EMPTY_QUEUE, anEdit("1"));
  expect(adopted(state, [anEdit("1"), anEdit("0")]).waiting.map((entry) => entry.request.client_id)).toEqual(["0", "1"]);
});

test("only what has never left the page can be taken back", () => {
  const fresh = pushed(EMPTY_QUEUE, anEdit("1"));
  expect(takenBack(fresh).entry?.request.client_id).toBe("1");
  expect(takenBack({ ...fresh, waiting: [{ ...anEdit("1"), tried: true }] }).entry).toBeNull();
});

test("a no ends that edit, and the next one goes out", async () => {
  const { server, queue, saved, refused } = aQueue();
  server.refuse = new Refused({ kind: "unknown-label", message: "no", hint: "" }, 422);
  queue.push(anEdit("1"));
  await vi.advanceTimersByTimeAsync(1);
  server.refuse = null;
  queue.push(anEdit("2"));
  await settle();
  expect(refused).toEqual(["1"]);
  expect(saved).toEqual(["2"]);
});

test("a full disk is waited for, and its words are shown", async () => {
  const { server, queue, saved } = aQueue();
  server.refuse = new Refused({ kind: "disk-full", message: "the disk is full", hint: "" }, 507);
  queue.push(anEdit("1"));
  await vi.advanceTimersByTimeAsync(1);
  expect(queue.store.get().stuck?.message).toBe("the disk is full");
  server.refuse = null;
  await settle();
  expect(saved).toEqual(["1"]);
  expect(queue.store.get().stuck).toBeNull();
});
