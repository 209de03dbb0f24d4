/** What somebody may do: a viewer looks, an operator also starts and steers runs, an approver also answers the inbox and merges. Each may what those before may. */
export const ROLES = ["viewer", "operator", "approver"] as const;
export type Role = (typeof ROLES)[number];

/** Who calls, once that is known. */
export interface Caller {
  role: Role;
  /** For the journal: `web:anna` from a browser, `api:anna` with a token of the home. */
  actor: string;
  by: "cookie" | "token";
}

export const may = (caller: Pick<Caller, "role">, needed: Role): boolean => ROLES.indexOf(caller.role) >= ROLES.indexOf(needed);
