import { expect, test } from "vitest";
import { InputEstimate } from "./estimate.ts";

test("input is estimated message by message; images do not count by their length", () => {
  const estimate = new InputEstimate(2);
  const long = { role: "user", content: "some words ".repeat(1_000) };
  const once = estimate.of({ messages: [long] });
  expect(once).toBeGreaterThan(2_000);
  expect(once).toBeLessThan(2_100);
  expect(estimate.of({ messages: [long, long] })).toBeGreaterThan(2 * once - 10);
  const url = `data:image/png;base64,${"A".repeat(400_000)}`;
  const image = { role: "user", content: [{ type: "image_url", image_url: { url } }] };
  expect(estimate.of({ messages: [image] })).toBeLessThan(2_100);
  expect(estimate.of({ messages: [{ role: "user", content: "<|endoftext|>" }] })).toBeGreaterThan(5);
  const start = performance.now();
  estimate.of({ messages: [{ role: "user", content: "a".repeat(200_000) }] });
  expect(performance.now() - start).toBeLessThan(2_000);
});

test("every format's input counts, wherever it has it, and its images by their number", () => {
  const estimate = new InputEstimate();
  const words = "some words ".repeat(500);
  const image = "A".repeat(400_000);
  for (const body of [
    { input: words },
    { instructions: words, input: [] },
    { system: [{ type: "text", text: words }], messages: [] },
    { systemInstruction: { parts: [{ text: words }] }, contents: [] },
    { contents: [], tools: [{ functionDeclarations: [{ description: words }] }] },
    { contents: [], generationConfig: { responseJsonSchema: { description: words } } },
  ])
    expect(estimate.of(body)).toBeGreaterThan(1_000);
  for (const body of [
    { input: [{ content: [{ type: "input_image", image_url: `data:image/png;base64,${image}` }] }] },
    { messages: [{ content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: image } }] }] },
    { contents: [{ parts: [{ inlineData: { mimeType: "image/png", data: image } }] }] },
  ]) {
    expect(estimate.of(body)).toBeGreaterThan(2_000);
    expect(estimate.of(body)).toBeLessThan(2_100);
  }
  // A document may hold any number of pages: its length is all that is known.
  const source = { type: "base64", media_type: "application/pdf", data: image };
  expect(estimate.of({ messages: [{ content: [{ type: "document", source }] }] })).toBeGreaterThan(40_000);
});
