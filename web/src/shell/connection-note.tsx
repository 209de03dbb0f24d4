import { retryStream, useConnection, useMe } from "../data/index.ts";
import { Button, CommandLine } from "../ui/index.ts";

/** Says when what is shown may be old, and what to do. */
export function ConnectionNote() {
  const connection = useConnection();
  const me = useMe();
  const isNewer =
    connection.state === "live" && connection.version !== undefined && me.data !== undefined && connection.version !== me.data.version;
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
        <span>The server is now version {connection.version}.</span>
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
