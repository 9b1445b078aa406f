import { useEffect } from "react";
import { type Action, chord, findAction } from "@/state/actions";
import type { App } from "@/state/app";

const TEXT = "input, textarea, select, [contenteditable=true]";
/** Keys that a focused control already means something by. */
const OWN: readonly [string, RegExp][] = [
  ["button, a, summary", /^(Enter|Space)$/],
  ["[role=slider], [role=separator], [role=tab], [role=radio]", /^(Arrow\w+|Home|End|Enter|Space)$/],
  ["[role=menu], [role=menuitem], [role=listbox]", /./],
];

/** Which action a key press means where it was made; none where the control has the key for itself. */
export function meaning(actions: readonly Action[], event: KeyboardEvent): Action | undefined {
  const pressed = chord(event);
  const action = findAction(actions, pressed);
  const target = event.target instanceof Element ? event.target : null;
  if (!action || event.isComposing) return undefined;
  if (action.always) return action;
  if (target?.closest(TEXT)) return undefined;
  return OWN.some(([selector, keys]) => target?.closest(selector) && keys.test(pressed)) ? undefined : action;
}

/** One ear for all keys. */
export function useKeys(app: App): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      if (document.querySelector("dialog[open]") && !(event.ctrlKey || event.metaKey)) return;
      const action = meaning(app.actions(), event);
      if (!action) return;
      // A key held down repeats moves; it must not repeat decisions.
      if (event.repeat && action.group === "label") return event.preventDefault();
      if (action.enabled && !action.enabled(app)) return;
      event.preventDefault();
      action.perform(app);
    };
    // After a click with the mouse the keys go on working on the pictures, not on the button that was clicked.
    const click = (event: MouseEvent) => {
      const control = event.target instanceof Element ? event.target.closest("button, a") : null;
      const apart = control?.closest("dialog, [role=menu], [aria-haspopup], form");
      if (!control || apart || event.detail === 0 || control.hasAttribute("aria-haspopup")) return;
      requestAnimationFrame(() => {
        const focused = document.activeElement;
        if (!focused || focused === document.body || focused === control) app.list.get()?.focus();
      });
    };
    window.addEventListener("keydown", press);
    window.addEventListener("click", click);
    return () => {
      window.removeEventListener("keydown", press);
      window.removeEventListener("click", click);
    };
  }, [app]);
}
