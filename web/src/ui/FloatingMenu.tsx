import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";

const STEPS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 };

/** A menu at a point, moved as needed to stay in the window. Arrows walk its items, Esc and a click elsewhere close it. */
export function FloatingMenu({ x, y, label, onClose, children }: {
  x: number;
  y: number;
  label: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: x, top: y });
  const items = () => [...(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
  useLayoutEffect(() => {
    const size = box.current!.getBoundingClientRect();
    setPlace({
      left: Math.max(4, Math.min(x, window.innerWidth - size.width - 4)),
      top: Math.max(4, Math.min(y, window.innerHeight - size.height - 4)),
    });
    items()[0]?.focus();
  }, [x, y]);
  useEffect(() => {
    const outside = (event: PointerEvent) => !box.current?.contains(event.target as Node) && onClose();
    window.addEventListener("pointerdown", outside, true);
    window.addEventListener("blur", onClose);
    return () => {
      window.removeEventListener("pointerdown", outside, true);
      window.removeEventListener("blur", onClose);
    };
  }, [onClose]);
  const press = (event: KeyboardEvent) => {
    event.stopPropagation();
    const all = items();
    const step = STEPS[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      onClose();
    } else if (step !== undefined || event.key === "Home" || event.key === "End") {
      event.preventDefault();
      const now = all.indexOf(document.activeElement as HTMLElement);
      const next = step === undefined ? (event.key === "Home" ? 0 : all.length - 1) : (now + step + all.length) % all.length;
      all[next]?.focus();
    }
  };
  return (
    <div ref={box} role="menu" aria-label={label} className="floating-menu" style={place} onKeyDown={press} onContextMenu={(event) => event.preventDefault()}>
      {children}
    </div>
  );
}

export function FloatingItem({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return <button type="button" role="menuitem" tabIndex={-1} className="floating-item" onClick={onClick}>{children}</button>;
}
