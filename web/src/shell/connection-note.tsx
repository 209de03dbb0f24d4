import { useState } from "react";
import { retryStream, useConnection, useMe } from "../data/index.ts";
import { Button, CommandLine } from "../ui/index.ts";

/** Says when what is shown may be old, and what to do. */
export function ConnectionNote() {
  const connection = useConnection();
  const me = useMe();
  // The first that was heard of is the one that this page came from. What the server says later is of the server.
  const [own, setOwn] = useState<string>();
  if (own === undefined && me.data) setOwn(me.data.version);
  const isNewer = connection.state === "live" && own !== undefined && connection.version !== undefined && connection.version !== own;
  if (connection.state === "refused" || me.error?.status === 401)
    return (
      <Note>
        <span>This browser is not logged in. Open the link that this prints:</span>
        <CommandLine command="stepfall up" />
      </Note>
    );
  if (connection.state === "lost")
    return (
      <Note>
        <span>The server does not answer: what is shown may be old. Runs go on without it. If it was stopped, start it again:</span>
        <CommandLine command="stepfall up" />
        <Button small onClick={retryStream}>
          Try now
        </Button>
      </Note>
    );
  if (isNewer)
    return (
      <Note>
        <span>
          The server is version {connection.version} now, and this page is of {own}.
        </span>
        <Button small onClick={() => window.location.reload()}>
          Reload
        </Button>
      </Note>
    );
  return undefined;
}

function Note({ children }: { children: React.ReactNode }) {
  return (
    <div role="status" className="flex flex-wrap items-center gap-2 border-b border-line bg-warn-soft px-4 py-2 text-warn">
      {children}
    </div>
  );
}
