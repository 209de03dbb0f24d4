import { LongText } from "../long-text.tsx";

/** What a program or a person wrote, as it is. */
export function Evidence({ text }: { text: string }) {
  return (
    <pre
      tabIndex={0}
      className="mt-1 max-h-64 overflow-auto rounded bg-raised px-2 py-1 font-mono text-xs break-words whitespace-pre-wrap text-ink"
    >
      <LongText text={text} />
    </pre>
  );
}
