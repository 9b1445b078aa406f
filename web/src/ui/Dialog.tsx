import { type ReactNode, useEffect, useRef } from "react";
import { IconButton } from "./Button";

/** The browser's own modal dialog: it keeps the focus, closes on Esc and covers what somebody asked it to. */
export function Dialog({ open, onClose, label, title, closeName, className = "", children }: {
  open: boolean;
  onClose: () => void;
  label: string;
  title?: boolean;
  closeName?: string;
  className?: string;
  children: ReactNode;
}) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    if (open && dialog && !dialog.open) dialog.showModal();
  }, [open]);
  if (!open) return null;
  return (
    <dialog
      ref={box}
      className={`dialog ${className}`}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === box.current && onClose()}
    >
      <div className="dialog-body">
        {title && (
          <div className="dialog-head">
            <h2>{label}</h2>
            <IconButton name={closeName ?? label} icon="cross" onClick={onClose} />
          </div>
        )}
        {children}
      </div>
    </dialog>
  );
}
