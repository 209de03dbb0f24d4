import type { Config, Origin } from "../../config/index.ts";
import { openProject } from "../../workspace/index.ts";
import { addFound, askServers, type Listings } from "../../setup/found-agents.ts";
import { idlePrograms, knownModels, type KnownModel } from "../../setup/known-models.ts";
import { configFlags, type RunOptions } from "../../setup/run-options.ts";
import { loadSettings } from "../../setup/settings.ts";
import { Exit, type Cli } from "../cli.ts";
import { painter, type Paint } from "../output.ts";
import { plural } from "../show/format.ts";
import { table, type Column } from "../show/table.ts";

/** `stepfall models`: every model that is known, what it costs, who uses it, and what is missing where it cannot be asked. */
export async function models(cli: Cli, flags: RunOptions): Promise<number> {
  const project = await openProject(cli.cwd, { env: cli.env }).catch(() => undefined);
  const settings = await loadSettings(cli, { project, flags: configFlags(flags) });
  const listings = await askServers(settings);
  const config = addFound(settings, cli.env["PATH"], listings);
  const known = knownModels(config, listings);
  const programs = idlePrograms(config, cli.env["PATH"]);
  const servers = [...listings].map(([provider, listing]) => ({ provider, ...(listing.ok ? { ok: true } : listing) }));
  if (cli.json) {
    cli.out.json({
      version: 1,
      tiers: config.tiers,
      catalog: config.catalog,
      models: known.map((model) => asData(model, config)),
      servers,
      programs: programs.map(({ preset, program }) => ({ preset: preset.id, program })),
    });
    return Exit.ok;
  }
  const mask = (text: string): string => config.secrets.mask(text);
  cli.out.data(mask(modelsText(known, config, painter(cli.out.colour))));
  for (const note of notes(known, config, listings, programs)) cli.out.note(mask(note));
  return Exit.ok;
}

const columns: Column[] = [
  { title: "TIER" },
  { title: "MODEL" },
  { title: "IN", align: "right" },
  { title: "OUT", align: "right" },
  { title: "CONTEXT", align: "right" },
  { title: "FROM" },
  { title: "READY" },
  { title: "AGENTS" },
];

function modelsText(known: readonly KnownModel[], config: Config, paint: Paint): string {
  return table(
    columns,
    known.map((m) => [
      m.tier ?? "",
      `${m.provider}/${m.model}`,
      ...(m.price ? [dollars(m.price.input), dollars(m.price.output)] : ["?", "?"]),
      m.context === undefined ? "" : tokens(m.context),
      m.from,
      m.ready.ok ? paint("green", "yes") : paint("yellow", m.ready.why),
      m.agents.map((id) => (config.origins[`agents.${id}`]?.kind === "found" ? id : paint("bold", id))).join(", "),
    ]),
  );
}

function notes(known: readonly KnownModel[], config: Config, listings: Listings, programs: ReturnType<typeof idlePrograms>): string[] {
  const ready = known.filter((m) => m.ready.ok).length;
  const silent = [...listings].flatMap(([provider, listing]) => (listing.ok ? [] : [`${provider}: ${listing.problem}`]));
  return [
    `\n${plural(known.length, "model")}, ${ready} ready. IN and OUT: USD per million tokens. Tiers from the cheapest up: ${config.tiers.join(", ")}.`,
    ...(config.catalog ? [] : ["Agents are those of the settings alone; `catalog: true` adds the known models that are ready."]),
    ...(silent.length > 0 ? [`No local models of ${silent.join("; ")}.`] : []),
    ...(programs.length > 0
      ? [
          `Installed and no agent: ${programs.map((p) => p.preset.id).join(", ")}. \`stepfall doctor\` tries them and says how they are used.`,
        ]
      : []),
  ];
}

function asData({ price, ...model }: KnownModel, config: Config): Record<string, unknown> {
  const agents = model.agents.map((id) => ({ id, origin: config.origins[`agents.${id}`] satisfies Origin | undefined }));
  return {
    ...model,
    price: price === undefined ? null : { inputMicroUsd: price.input, outputMicroUsd: price.output, source: price.source },
    agents,
  };
}

/** `0.25`, `12.50`, `0`. */
function dollars(microUsd: number): string {
  if (microUsd === 0) return "0";
  const exact = String(microUsd / 1_000_000);
  return /^\d+(?:\.\d)?$/.test(exact) ? (microUsd / 1_000_000).toFixed(2) : exact;
}

/** `200k`, `1.05M`. */
const tokens = (n: number): string => (n >= 1_000_000 ? `${Number((n / 1_000_000).toFixed(2))}M` : `${Math.round(n / 1000)}k`);
