import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

// jsdom has no layout and no media queries; Mantine asks for both.
window.matchMedia ??= (query) => ({
  matches: false, media: query, onchange: null, addListener: () => undefined, removeListener: () => undefined,
  addEventListener: () => undefined, removeEventListener: () => undefined, dispatchEvent: () => false,
});
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
// The DOM of the tests knows `dialog` but not how to open one.
HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement) {
  this.open = true;
};
Element.prototype.scrollTo ??= () => undefined;
Element.prototype.scrollIntoView ??= () => undefined;

// What is virtualised needs a window to fill.
for (const [name, value] of [["offsetWidth", 800], ["offsetHeight", 600], ["clientWidth", 800], ["clientHeight", 600]] as const) {
  Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => value });
}

// A busy machine is slow, not wrong.
configure({ asyncUtilTimeout: 30_000 });
afterEach(cleanup);
