/** What all pages look like. */
export { AnswerForm } from "./answer-form.tsx";
export { Dialog } from "./dialog.tsx";
export { Ago, Duration, Money, Took } from "./figures.tsx";
export { Button, CommandLine, Empty, inputClass, Kbd, Loading, Panel, ProblemNote, Progress, Tag } from "./parts.tsx";
export { clockText, countText, durationText, exactTime, nameOf, percentText, plural } from "./say.ts";
export { useShortcuts } from "./shortcuts.ts";
export { StatusMark, statusOf, statusWord, type Status } from "./status.tsx";
