/** Answers to the tasks of examples/workload, by task: one that is right, and one that looks like it. Path and text of what is written. */
export interface Answers {
  /** Found in the task's prompt, and in no other's. */
  says: string;
  right: Readonly<Record<string, string>>;
  wrong: Readonly<Record<string, string>>;
}

const plan = (ids: string): string =>
  JSON.stringify(
    ids.split(" ").map((id, i, all) => ({
      id,
      needs: id === "switch" || i === 0 ? [] : id === "dual-write" ? all.slice(0, i) : [all[i - 1]],
      why: `It is what has to come at place ${i + 1}.`,
    })),
  );
const incident = (service: string, version: string, firstLost: string, lost: readonly string[]): string =>
  JSON.stringify({ service, version, firstLost, lost });

const docsOf = (more: string): string => `# Stack

## createStack

Makes a stack of the items it is given, the last one on top; without items it is empty. The list itself is copied.

\`\`\`js
assert.equal(peek(createStack([1, 2])), 2);
\`\`\`

## push

Answers a new stack with one more item on top of it. The stack that was given stays as it was.

\`\`\`js
assert.equal(peek(push(createStack(), 1)), 1);
\`\`\`

## pop

Answers the item on top together with the rest of the stack below it, as { item, rest }.${more}

\`\`\`js
assert.equal(pop(createStack([1, 2])).item, 2);
\`\`\`

## peek

Answers the item on top and takes nothing away from the stack; of an empty one it answers undefined.

\`\`\`js
assert.equal(peek(createStack()), undefined);
\`\`\`
`;

const lru = (afterGet: string): string => `export class Lru {
  #entries = new Map();
  constructor(limit) {
    if (!Number.isInteger(limit) || limit < 0) throw new RangeError("the limit is no whole number");
    this.limit = limit;
  }
  get size() {
    return this.#entries.size;
  }
  has(key) {
    return this.#entries.has(key);
  }
  get(key) {
    const value = this.#entries.get(key);
    ${afterGet}
    return value;
  }
  set(key, value) {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    while (this.#entries.size > this.limit) this.#entries.delete(this.#entries.keys().next().value);
  }
}
`;

const mapLimit = `export async function mapLimit(items, limit, work) {
  if (!Number.isInteger(limit) || limit < 1) throw new RangeError("the limit is no whole number above zero");
  const results = [];
  const failed = new AbortController();
  const from = items[Symbol.iterator]();
  let failure;
  let index = 0;
  let isOver = false;
  const next = async () => {
    while (!failure && !isOver) {
      const { value, done } = from.next();
      if (done) {
        isOver = true;
        return;
      }
      const i = index++;
      try {
        results[i] = await work(value, i, failed.signal);
      } catch (error) {
        failure ??= { error };
        failed.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, next));
  if (failure) throw failure.error;
  return results;
}
`;

const calc = `export class CalcError extends Error {
  constructor(message, column) {
    super(\`\${message} at column \${column}\`);
    this.name = "CalcError";
    this.column = column;
  }
}

const functions = { min: Math.min, max: Math.max, abs: Math.abs, sqrt: Math.sqrt };

export function evaluate(text, variables = {}) {
  let at = 0;
  const fail = (message, where = at) => {
    throw new CalcError(message, where + 1);
  };
  const skip = () => {
    while (/\\s/.test(text[at] ?? "x")) at += 1;
  };
  const take = (...signs) => {
    skip();
    if (!signs.includes(text[at])) return undefined;
    return { sign: text[at], at: at++ };
  };
  const match = (pattern) => {
    skip();
    const found = new RegExp(pattern, "y");
    found.lastIndex = at;
    const word = found.exec(text)?.[0];
    if (word !== undefined) at += word.length;
    return word;
  };
  const sum = () => {
    let value = product();
    for (let op = take("+", "-"); op; op = take("+", "-")) value = op.sign === "+" ? value + product() : value - product();
    return value;
  };
  const product = () => {
    let value = signed();
    for (let op = take("*", "/", "%"); op; op = take("*", "/", "%")) {
      const right = signed();
      if (op.sign === "*") value *= right;
      else if (right === 0) fail("division by zero", op.at);
      else value = op.sign === "/" ? value / right : value % right;
    }
    return value;
  };
  const signed = () => {
    const op = take("+", "-");
    if (!op) return power();
    const value = signed();
    return op.sign === "-" ? -value : value;
  };
  const power = () => {
    const base = single();
    return take("^") ? base ** signed() : base;
  };
  const single = () => {
    if (take("(")) {
      const value = sum();
      if (!take(")")) fail("no )");
      return value;
    }
    const number = match("(?:\\\\d+(?:\\\\.\\\\d*)?|\\\\.\\\\d+)(?:[eE][+-]?\\\\d+)?");
    if (number !== undefined) return Number(number);
    const name = match("[A-Za-z_][A-Za-z0-9_]*");
    if (name === undefined) fail("no value");
    const begin = at - name.length;
    if (Object.hasOwn(functions, name) && take("(")) return call(name);
    if (Object.hasOwn(functions, name) || !Object.hasOwn(variables, name)) fail("unknown " + name, begin);
    return variables[name];
  };
  const call = (name) => {
    const values = [sum()];
    const isSingle = name === "abs" || name === "sqrt";
    for (let comma = take(","); comma; comma = take(",")) {
      if (isSingle) fail(name + " takes one value", comma.at);
      values.push(sum());
    }
    if (!take(")")) fail("no )");
    return functions[name](...values);
  };
  const value = sum();
  skip();
  if (at < text.length) fail("not expected");
  return value;
}
`;

const duration = (isChecked: boolean): string => `const seconds = { s: 1, m: 60, h: 3600 };

export function parseDuration(text) {
  ${isChecked ? "if (!/^(\\d+[smh])+$/.test(text)) throw new RangeError(`not a duration: ${text}`);" : ""}
  return [...text.matchAll(/(\\d+)([smh])/g)].reduce((sum, [, n, unit]) => sum + Number(n) * seconds[unit], 0);
}
`;
const greet = (word: string): string => `export const greet = (name) => \`${word}, \${name}!\`;\n`;

export const exampleAnswers: Readonly<Record<string, Answers>> = {
  greeting: { says: "src/greet.js", right: { "src/greet.js": greet("Hello") }, wrong: { "src/greet.js": greet("Hallo") } },
  duration: { says: "src/duration.js", right: { "src/duration.js": duration(true) }, wrong: { "src/duration.js": duration(false) } },
  lru: {
    says: "src/lru.js",
    right: { "src/lru.js": lru("if (this.has(key)) this.set(key, value);") },
    wrong: { "src/lru.js": lru("") },
  },
  pool: {
    says: "src/map-limit.js",
    right: { "src/map-limit.js": mapLimit },
    wrong: { "src/map-limit.js": mapLimit.replace("failed.abort();", "") },
  },
  calc: {
    says: "src/calc.js",
    right: { "src/calc.js": calc },
    wrong: { "src/calc.js": calc.replace('take("^") ? base ** signed() : base', 'take("^") ? base ** single() : base') },
  },
  "migration-plan": {
    says: "move.md",
    right: { "plan.json": plan("new-schema switch dual-write backfill compare read-new stop-old-writes drop-old") },
    wrong: { "plan.json": plan("new-schema switch backfill dual-write compare read-new stop-old-writes drop-old") },
  },
  incident: {
    says: "Orders were lost",
    right: { "answer.json": incident("stock", "4.1.0", "o-1103", ["o-1103", "o-1105", "o-1106"]) },
    wrong: { "answer.json": incident("gateway", "2.3.2", "o-1104", ["o-1103", "o-1104", "o-1105", "o-1106"]) },
  },
  "api-docs": {
    says: "docs/api.md",
    right: { "docs/api.md": docsOf(" An empty stack is refused with a RangeError.") },
    wrong: { "docs/api.md": docsOf("") },
  },
};
