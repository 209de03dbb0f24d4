import { expect, test } from "vitest";
import { openEndpoint } from "./endpoint.ts";
import { listening } from "./remote.testkit.ts";

const open = (url: string, allowInsecure = false) => openEndpoint({ url, token: "t", allowInsecure }, 1000);

test.each(["https://agents.example.com/a", "http://127.0.0.1:8787", "http://localhost:1/x", "http://[::1]:2/"])("%s is taken", (url) => {
  expect(open(url).ok).toBe(true);
});

test.each([
  ["http://agents.example.com/", "another machine"],
  ["http://127.0.0.1.example.com/", "another machine"],
  ["http://10.0.0.3/", "another machine"],
  ["ftp://127.0.0.1/", "not supported"],
  ["https://user:secret@example.com/", "password"],
  ["agents", "no URL"],
])("%s is refused", (url, because) => {
  expect(open(url)).toMatchObject({ ok: false, problem: expect.stringContaining(because), hint: expect.stringMatching(/./) });
});

test("http to another machine is taken where the settings say so", () => {
  expect(open("http://10.0.0.3/", true).ok).toBe(true);
});

test("the token goes to the agent's own origin only, in the header that was asked for", async () => {
  const seen: (string | undefined)[] = [];
  const { url } = await listening((request, response) => {
    seen.push(request.headers.authorization, request.headers["x-api-key"] as string | undefined);
    response.end("{}");
  });
  const opened = openEndpoint({ url, token: "secret", header: "X-Api-Key" }, 1000);
  if (!opened.ok) throw new Error(opened.problem);
  await opened.endpoint.fetch(url);
  expect(seen).toEqual([undefined, "secret"]);
  await expect(opened.endpoint.fetch("http://127.0.0.1:1/")).rejects.toThrow("registered");
});
