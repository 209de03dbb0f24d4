import { useEffect, useId, useRef, type ReactNode } from "react";
import { Button } from "./parts.tsx";

/** A modal window: the browser's own, which keeps the focus inside, closes on Esc, and gives the focus back. What has `data-first` is focused first. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    // Else it would be the button that closes it.
    dialog?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      className="w-[min(42rem,calc(100vw-2rem))] rounded-lg border border-line bg-surface p-0 text-ink shadow-xl"
    >
      <header className="flex items-center justify-between gap-4 border-b border-line px-4 py-3">
        <h2 id={id} className="font-semibold">
          {title}
        </h2>
        <Button small look="quiet" onClick={onClose} aria-label="Close: Esc">
          Esc
        </Button>
      </header>
      <div className="p-4">{children}</div>
    </dialog>
  );
}
