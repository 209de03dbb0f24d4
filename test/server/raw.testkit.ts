import { connect } from "node:net";

/** Sends bytes as they are, and answers all that came back until the server closed the connection, or for `waitMs`. */
export function sendRaw(port: number, bytes: string | Buffer, waitMs = 15_000): Promise<string> {
  return new Promise((resolve) => {
    let got = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    const timer = setTimeout(() => socket.destroy(), waitMs);
    socket.on("data", (piece) => (got += piece.toString("latin1")));
    socket.on("error", () => {});
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(got);
    });
  });
}

/** Status codes of the answers in it. */
export const statusesIn = (answer: string): number[] => [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, code]) => Number(code));
