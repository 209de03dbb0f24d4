import createClient from "openapi-fetch";
import type { paths } from "./openapi.d.ts";
import { problemOf, unreachable } from "./problem.ts";

/** The API as schema/openapi.json has it: a path, a parameter or a field that is not there does not type-check. */
export const api = createClient<paths>({ baseUrl: "/api/v1" });

interface Asked<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What was answered; rejects with a Problem. Of something that changes things: it was recorded. */
export async function answerTo<T>(asking: Promise<Asked<T>>): Promise<T> {
  let asked: Asked<T>;
  try {
    asked = await asking;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable(error);
  }
  if (asked.data === undefined || !asked.response.ok) throw problemOf(asked.response.status, asked.error);
  return asked.data;
}
