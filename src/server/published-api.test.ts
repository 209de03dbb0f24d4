import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { apiDocument } from "./api.ts";

test("schema/openapi.json is what the server serves: npm run schemas writes it", () => {
  const published: unknown = JSON.parse(readFileSync(new URL("../../schema/openapi.json", import.meta.url), "utf8"));
  expect(published).toEqual(JSON.parse(JSON.stringify(apiDocument())));
});

test("it is valid OpenAPI, and every route says who may ask and what a refusal looks like", async () => {
  const document = JSON.parse(JSON.stringify(apiDocument())) as { paths: Record<string, Record<string, Record<string, unknown>>> };
  expect(await new Validator().validate(document)).toMatchObject({ valid: true });
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, route]) => ({ path, method, route })),
  );
  expect(routes.length).toBeGreaterThan(20);
  for (const { path, method, route } of routes) {
    if (path === "/stream" || path === "/logout") continue;
    expect(["viewer", "operator", "approver"], path).toContain(route["x-role"]);
    // What changes something is never for those who only look; a link for oneself changes nothing.
    if (method === "post" && path !== "/login-links") expect(route["x-role"], path).not.toBe("viewer");
    expect(route["responses"], path).toMatchObject({ default: { content: { "application/problem+json": {} } } });
  }
});
