import { z } from "zod";
import { looksLikeSecretName, looksLikeSecretValue } from "./secret-names.ts";
import { CommandText, duration, Id } from "./yaml/fields.ts";
import { keyed, refuse } from "./yaml/shape-problems.ts";

/** The shapes of `hooks`, `notify` and `telemetry` in the settings. */

/** What a hook that may refuse is asked before: the event that will be recorded when it does not. */
export const VETO_EVENTS = ["RunStarted", "AttemptStarted", "MergeIntended"] as const;

/** `${{ secrets.NAME }}`, the only expression that headers and addresses of hooks hold. */
export const SECRET_PLACE = /\$\{\{\s*secrets\.([A-Za-z_]\w{0,127})\s*\}\}/g;
const withoutSecrets = (text: string): string => text.replaceAll(SECRET_PLACE, "");

const SecretName = z.string().superRefine((text, ctx) => {
  // Whatever is no name may be the secret itself: it is not repeated.
  if (!/^[A-Za-z_]\w{0,127}$/.test(text) || looksLikeSecretValue(text))
    refuse(ctx, "LITERAL_SECRET", "is not the name of a secret", "Write its name, and set it in the environment or a file of secrets");
});

const EventName = z.string().superRefine((text, ctx) => {
  if (text !== "*" && !/^[A-Z][A-Za-z]{1,63}$/.test(text))
    refuse(ctx, "BAD_VALUE", "is not the name of an event", "Write names such as RunFinished or InboxOpened, or '*' for all");
});

/** Webhooks of well-known chats: the path is the key. */
const SECRET_ADDRESS =
  /^\s*https?:\/\/(?:hooks\.slack\.com\/(?:services|workflows|triggers)\/\w|(?:[\w-]+\.)?discord(?:app)?\.com\/api\/webhooks\/\d+\/\w|[\w-]+\.webhook\.office\.com\/\w)/i;

/** An address to send to; parts of it may be secrets. */
const Address = z.string().superRefine((text, ctx) => {
  const plain = text.replaceAll(SECRET_PLACE, "x");
  const isWhole = /^\s*\$\{\{\s*secrets\.\w+\s*\}\}\s*$/.test(text);
  if (isWhole) return;
  const url = URL.canParse(plain) ? new URL(plain) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === "" || plain.includes("${{"))
    return refuse(ctx, "BAD_VALUE", "is not an http(s) URL", "Write it like https://example.com/hook, or ${{ secrets.NAME }}");
  if (url.username !== "" || url.password !== "" || /[?&](?:api[-_]?)?(?:key|token|sig|signature|code)=[^&]/i.test(withoutSecrets(text)))
    return refuse(ctx, "LITERAL_SECRET", "the URL holds a key", "Write it as ${{ secrets.NAME }}");
  if (SECRET_ADDRESS.test(withoutSecrets(text)))
    return refuse(ctx, "LITERAL_SECRET", "whoever knows this URL can write there", "Write it as ${{ secrets.NAME }}");
});

const Headers = z
  .record(z.string().regex(/^[A-Za-z0-9-]{1,100}$/, "Use letters, digits and `-`"), z.string().max(4096))
  .superRefine((headers, ctx) => {
    for (const [name, value] of Object.entries(headers)) {
      const plain = withoutSecrets(value);
      const isSecretive = looksLikeSecretName(name) || /^(?:authorization|cookie|proxy-authorization)$/i.test(name);
      const fix = `Write ${name}: "\${{ secrets.NAME }}"`;
      if (plain.includes("${{")) refuse(ctx, "BAD_VALUE", `${name} holds another expression than a secret`, fix, [name]);
      else if (/[\r\n]/.test(value)) refuse(ctx, "BAD_VALUE", `${name} goes over several lines`, fix, [name]);
      else if (looksLikeSecretValue(value) || (isSecretive && plain === value))
        refuse(ctx, "LITERAL_SECRET", `${name} looks like a secret written out`, fix, [name]);
    }
  });

export const HookShape = keyed(
  {
    name: Id.optional().describe("What it is called in messages; default: its place in the file"),
    on: z
      .union([EventName, z.array(EventName).min(1)])
      .transform((value): string[] => [value].flat())
      .describe("Events that it is told of, such as RunFinished or InboxOpened; '*' is all. See docs/hooks.md"),
    if: z.string().min(1).max(2000).optional().describe("CEL over event, run and step: only those for which it holds"),
    run: CommandText.optional().describe("A shell command; the event is JSON on its stdin"),
    webhook: Address.optional().describe("A URL; the event is POSTed to it as JSON. May hold ${{ secrets.NAME }}"),
    headers: Headers.optional().describe("Of the webhook; values may hold ${{ secrets.NAME }}"),
    secrets: z.array(SecretName).max(50).optional().describe("Names of secrets that the command gets as variables"),
    timeout: duration(1).optional().describe("How long one try may take; default 30s"),
    retries: z.int().min(0).max(20).optional().describe("Further tries when it fails; default 5, with `veto` 0"),
    backoff: duration(0).optional().describe("Wait before the first retry, twice as long before each further one; default 1s"),
    veto: z.boolean().optional().describe("true: it is asked before, and may refuse; only on RunStarted, AttemptStarted and MergeIntended"),
    "on-error": z.enum(["allow", "refuse"]).optional().describe("With `veto`: what counts when it gives no answer; default refuse"),
  },
  {
    of: "a hook",
    literalSecrets: {
      pattern: /^(?:api[-_]?key|key|token|auth[-_]?token|secret|password|authorization)$/i,
      hint: 'No key in a file: write `headers: { Authorization: "${{ secrets.NAME }}" }`',
    },
    synonyms: {
      command: "run",
      exec: "run",
      url: "webhook",
      events: "on",
      event: "on",
      filter: "if",
      when: "if",
      id: "name",
      retry: "retries",
    },
  },
).superRefine((hook, ctx) => {
  const calls = [hook.run, hook.webhook].filter((c) => c !== undefined).length;
  if (calls !== 1) refuse(ctx, "BAD_VALUE", "a hook has either `run` or `webhook`", "Give one of them");
  if (hook.headers && hook.webhook === undefined)
    refuse(ctx, "BAD_VALUE", "`headers` belong to a webhook", "Give a `webhook`", ["headers"]);
  if (hook.secrets && hook.run === undefined)
    refuse(ctx, "BAD_VALUE", "`secrets` belong to a command", "A webhook names them in its `headers`: ${{ secrets.NAME }}", ["secrets"]);
  if (hook["on-error"] && hook.veto !== true)
    refuse(ctx, "BAD_VALUE", "`on-error` belongs to a hook with `veto: true`", "Remove it", ["on-error"]);
  const cannot = hook.veto === true ? hook.on.filter((type) => !VETO_EVENTS.some((v) => v === type)) : [];
  if (cannot.length > 0)
    refuse(ctx, "BAD_VALUE", `a hook cannot refuse ${cannot.join(", ")}`, `With \`veto: true\`, write on: ${VETO_EVENTS.join(", ")}`, [
      "on",
    ]);
});

export const NotifyShape = keyed(
  {
    desktop: z.boolean().optional().describe("A notification on this desktop (notify-send, osascript) for what waits for people"),
    webhook: keyed(
      { "url-secret": SecretName.describe("Name of the secret that is the webhook's URL") },
      { of: "the webhook", synonyms: { url: "url-secret", secret: "url-secret" } },
    )
      .optional()
      .describe("A webhook that takes Slack's messages, told of what waits for people"),
  },
  { of: "notify", synonyms: { slack: "webhook" } },
);

export const TelemetryShape = keyed(
  {
    endpoint: z
      .string()
      .transform((text, ctx) => {
        const url = URL.canParse(text) ? new URL(text) : undefined;
        const example = "Write the base URL of an OTLP/HTTP receiver, such as http://127.0.0.1:4318";
        if (!url || !/^https?:$/.test(url.protocol) || url.hostname === "")
          return refuse(ctx, "BAD_VALUE", "is not an http(s) URL", example);
        if (url.username !== "" || url.password !== "" || url.search !== "")
          return refuse(ctx, "LITERAL_SECRET", "the URL holds more than an address", "Name a secret in `headers-secret`");
        return url.href.replace(/\/+$/, "");
      })
      .describe("Base URL of an OTLP/HTTP receiver; traces go to /v1/traces, metrics to /v1/metrics"),
    "headers-secret": SecretName.optional().describe("Name of the secret that holds its headers: name=value,name=value"),
  },
  { of: "telemetry", synonyms: { url: "endpoint", headers: "headers-secret", otlp: "endpoint" } },
);
