import { useState } from "react";
import { Button } from "../ui/index.ts";

/** As much as a browser lays out without a pause. */
const MOST = 20_000;

/** A text that an agent or a program wrote: however long it is, the page goes on; all of it is there for whoever asks. */
export function LongText({ text }: { text: string }) {
  const [isWhole, setWhole] = useState(false);
  if (isWhole || text.length <= MOST) return text;
  return (
    <>
      {text.slice(0, MOST)}…{" "}
      <Button small onClick={() => setWhole(true)}>
        {(text.length - MOST).toLocaleString("en")} more characters
      </Button>
    </>
  );
}
