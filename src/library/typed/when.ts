import { atomic, expression, type Expression, type Later } from "./expression.ts";
import type { AnyStepRef } from "./step-spec.ts";

type Condition = Expression<boolean>;

const compare =
  (operator: string) =>
  <T>(a: Expression<T>, b: Later<NoInfer<T>>): Condition =>
    expression(`${atomic(a)} ${operator} ${atomic(b)}`);
const compareOrdered =
  (operator: string) =>
  (a: Later<number>, b: Later<number>): Condition =>
    expression(`${atomic(a)} ${operator} ${atomic(b)}`);
const join =
  (operator: string) =>
  (...conditions: readonly Condition[]): Condition =>
    expression(conditions.map(atomic).join(` ${operator} `));
const outcome =
  (word: string) =>
  (step: AnyStepRef): Condition =>
    expression(`${atomic(step.outcome)} == "${word}"`);

/** Conditions whose types are checked; what they cannot say, `cel` can. */
export const when = {
  equal: compare("=="),
  different: compare("!="),
  above: compareOrdered(">"),
  atLeast: compareOrdered(">="),
  below: compareOrdered("<"),
  atMost: compareOrdered("<="),
  /** All of them hold. */
  all: join("&&"),
  /** One of them holds. */
  any: join("||"),
  not: (condition: Condition): Condition => expression(`!(${atomic(condition)})`),
  /** A list holds a value. */
  contains: <T>(list: Expression<readonly T[]>, item: Later<NoInfer<T>>): Condition => expression(`${atomic(item)} in ${atomic(list)}`),
  /** How many a list or a text has. */
  size: (value: Expression<readonly unknown[]> | Expression<string>): Expression<number> => expression(`size(${atomic(value)})`),
  succeeded: outcome("succeeded"),
  failed: outcome("failed"),
  skipped: outcome("skipped"),
} as const;
