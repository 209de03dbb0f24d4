import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { openOutput } from "./output.ts";

function printed(isTTY: boolean): { out: ReturnType<typeof openOutput>; text: () => string } {
  let text = "";
  const stream = (): NodeJS.WriteStream => {
    const one = Object.assign(new PassThrough(), { isTTY });
    one.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    return one as unknown as NodeJS.WriteStream;
  };
  return { out: openOutput({ stdout: stream(), stderr: stream() }, {}), text: () => text };
}

const title = "\u001b]0;owned\u0007";
const clipboard = "\u001b]52;c;cm0gLXJm\u001b\\";

test("what an agent prints colours a terminal, and does nothing else to it", async () => {
  const { out, text } = printed(true);
  out.data(`a\tb\r\nc \u001b[31mred\u001b[0m ${title}${clipboard}\u001b[2J\u009b2J\u0008`);
  out.note(`10 %\r100 %${title}`);
  out.json({ text: "\u009b2J" });
  await out.flush();
  expect(text()).toContain("a\tb\nc \u001b[31mred\u001b[0m \\x1b]0;owned\\x07");
  expect(text()).toContain("10 %\\x0d100 %");
  // oxlint-disable-next-line no-control-regex
  expect(text().replaceAll(/\u001b\[\d+m/g, "")).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
});

test("whoever takes it into a file or a program gets it as it was printed", async () => {
  const { out, text } = printed(false);
  out.data(`${title}${clipboard}`);
  await out.flush();
  expect(text()).toBe(`${title}${clipboard}\n`);
});
