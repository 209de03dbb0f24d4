/** What all pages look like. */
export { AnswerForm } from "./answer-form.tsx";
export { Dialog } from "./dialog.tsx";
export { Ago, Duration, Money, Took } from "./figures.tsx";
export { Button, CommandLine, Empty, inputClass, Kbd, Loading, Panel, ProblemNote, Progress, Tag } from "./parts.tsx";
export { clockText, countText, durationText, exactTime, nameOf, percentText, plural, projectNames, shellWord, visibleText } from "./say.ts";
export { useShortcuts } from "./shortcuts.ts";
export { NoAgent, workersOf } from "./no-agent.tsx";
export { ProjectSelect, selectClass } from "./project-select.tsx";
export { RowName, Table, Td, Th } from "./table.tsx";
export { StatusMark, statusOf, statusWord, type Status } from "./status.tsx";
