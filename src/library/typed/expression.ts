/**
 * Values that are known only when a pipeline runs. In TypeScript each is an `Expression<T>`: its members are those of `T`, and in a text
 * it reads as `${{ CEL }}`, so that `Write ${plan.output.title}` in backquotes is what a YAML file would say.
 */

declare const typeOfValue: unique symbol;

/** Names that mean something to JavaScript itself; a schema's key of such a name is reached with `cel`. */
type Reserved = "toString" | "toJSON" | "valueOf" | "then";

/** Any expression, whatever it stands for. */
export interface AnyExpression {
  /** `${{ CEL }}` */
  toString(): string;
  /** The same: YAML and JSON hold it as text. */
  toJSON(): string;
}

/** For the compiler only: nothing is there when the program runs. */
interface Bare<T> extends AnyExpression {
  readonly [typeOfValue]: T;
}

/** What an expression stands for. */
export type ValueOf<E> = E extends { readonly [typeOfValue]: infer T } ? T : never;

type Members<T> = unknown extends T
  ? object
  : T extends readonly (infer I)[]
    ? { readonly [index: number]: Expression<I> }
    : T extends object
      ? { readonly [K in Exclude<keyof T, Reserved | symbol>]-?: Expression<T[K]> }
      : object;

/** A value of type `T` that is known when the pipeline runs. */
export type Expression<T = unknown> = Bare<T> & Members<NonNullable<T>>;

/** A value now, or one that is known later. */
export type Later<T> = T | Expression<T>;

const texts = new WeakMap<object, string>();
const NAME = /^[A-Za-z_]\w*$/;
/** Words of CEL that cannot stand behind a dot. */
const KEYWORDS = new Set(["in", "true", "false", "null"]);

/** An expression of this CEL text. The members of what it stands for are asked for by writing them behind it. */
export function expression<T>(text: string): Expression<T> {
  const rendered = `\${{ ${text} }}`;
  const target = Object.create(null) as object;
  const proxy = new Proxy(target, {
    get: (_, key) => {
      if (key === Symbol.toPrimitive || key === "toString" || key === "toJSON" || key === "valueOf") return () => rendered;
      // Awaited by mistake it is a value, not a promise that never settles.
      return typeof key === "symbol" || key === "then" ? undefined : expression(memberOf(text, key));
    },
    has: (_, key) => typeof key === "string",
    ownKeys: () => [],
  });
  texts.set(proxy, text);
  return proxy as Expression<T>;
}

function memberOf(text: string, key: string): string {
  const base = /^[\w.[\]"'-]+$/.test(text) ? text : `(${text})`;
  if (/^\d+$/.test(key)) return `${base}[${key}]`;
  return NAME.test(key) && !KEYWORDS.has(key) ? `${base}.${key}` : `${base}[${JSON.stringify(key)}]`;
}

export const isExpression = (value: unknown): value is AnyExpression => typeof value === "object" && value !== null && texts.has(value);

/** A value as CEL: an expression's own text, anything else as JSON has it, which is CEL too. */
export function celText(value: unknown): string {
  if (isExpression(value)) return texts.get(value) ?? "";
  if (Array.isArray(value)) return `[${value.map(celText).join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return `{${Object.entries(value)
      .map(([key, part]) => `${JSON.stringify(key)}: ${celText(part)}`)
      .join(", ")}}`;
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  return JSON.stringify(value) ?? "null";
}

/**
 * CEL, with TypeScript values put in as CEL values: cel`size(${plan.output.items}) > ${3}`. Without a type of its own it is a condition.
 */
export function cel<T = boolean>(parts: TemplateStringsArray, ...values: readonly unknown[]): Expression<T> {
  return expression<T>(parts.map((part, i) => part + (i < values.length ? atomic(values[i]) : "")).join(""));
}

/** In brackets where it is more than one word: what stands around it must not take it apart. */
export function atomic(value: unknown): string {
  const text = celText(value);
  return isExpression(value) && !/^[\w.[\]"'-]+$/.test(text) ? `(${text})` : text;
}

/** A text from elsewhere that is to be read as it is: `${{` in it is no expression. */
export const literal = (text: string): string => text.replaceAll("${{", () => "$${{").replace(/\$+$/, (run) => `\${{ "${run}" }}`);
