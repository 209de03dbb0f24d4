// An agent behind HTTP: what Stepfall's plain contract asks for, in plain Node without packages. It adds a line of licence to each
// file that it is sent, so that there is something to see; put your own work in `work`.
//
//   AGENT_TOKEN=some-long-secret node server.mjs 8787
//
// and in stepfall.yaml:
//
//   agents:
//     licenser: { executor: http, protocol: post, url: "http://127.0.0.1:8787/", token-env: AGENT_TOKEN, tier: free }

import { createServer } from "node:http";
import { timingSafeEqual } from "node:crypto";

const MOST_BYTES = 4 * 1024 * 1024;
const LINE = "// SPDX-License-Identifier: MIT\n";

/**
 * @param {{ prompt: string, feedback: { message: string }[], files: { list: string[], contents: { path: string, content: string }[] } }} task
 * @param {{ progress: (text: string) => void, signal: AbortSignal }} context
 */
async function work({ files }, { progress, signal }) {
  const changed = [];
  for (const { path, content } of files.contents) {
    signal.throwIfAborted();
    if (!/\.(js|mjs|ts)$/.test(path) || content.startsWith(LINE)) continue;
    progress(`license ${path}`);
    changed.push({ path, content: LINE + content });
  }
  if (files.contents.length === 0) return { failed: { message: "no file was sent: give the step `touches`" } };
  return { summary: `Added the licence to ${changed.length} of ${files.contents.length} files.`, files: changed };
}

const token = process.env.AGENT_TOKEN ?? "";
if (token.length < 16) {
  console.error("Set AGENT_TOKEN to a secret of at least 16 characters.");
  process.exit(2);
}

const server = createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (!isAllowed(request.headers.authorization)) return answer(401, { failed: { message: "wrong token", because: "setup" } });
  if (request.method !== "POST") return answer(405, { failed: { message: "POST a task" } });
  let task;
  try {
    task = JSON.parse(await read(request));
  } catch (error) {
    return answer(400, { failed: { message: error.message } });
  }
  // Whoever sent the task cancels it by closing the connection.
  const stop = new AbortController();
  response.once("close", () => stop.abort());
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const send = (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  try {
    send("done", await work(task, { progress: (text) => send("progress", { text }), signal: stop.signal }));
  } catch (error) {
    send("done", { failed: { message: error.message } });
  }
  response.end();
});

function isAllowed(header = "") {
  const [given, wanted] = [Buffer.from(header), Buffer.from(`Bearer ${token}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function read(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`at most ${MOST_BYTES} bytes are taken`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/`);
});
