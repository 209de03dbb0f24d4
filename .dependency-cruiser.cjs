/** Rooms import one way: only rooms below, and other rooms only by their contract (index.ts). See docs/architecture.md. */
const floors = [
  ["cli", "library"],
  "server",
  "autopilot",
  "control",
  "setup",
  ["hooks", "telemetry"],
  "engine",
  ["agents", "planning", "fleet", "quality"],
  "models",
  "pipeline",
  "workspace",
  "store",
  "logs",
  "domain",
  "config",
];

const flat = floors.map((f) => (Array.isArray(f) ? f : [f]));
const upward = flat.flatMap((floor, i) => {
  const above = flat.slice(0, i).flat();
  return floor.flatMap((room) => {
    const siblings = floor.filter((r) => r !== room);
    const forbidden = [...above, ...siblings];
    return forbidden.length === 0
      ? []
      : [
          {
            name: `${room}-imports-downwards`,
            severity: "error",
            comment: `${room} imports only rooms below it`,
            from: { path: `^src/${room}/` },
            to: { path: `^src/(${forbidden.join("|")})/` },
          },
        ];
  });
});

module.exports = {
  forbidden: [
    ...upward,
    {
      name: "other-rooms-by-contract",
      severity: "error",
      comment:
        "a room is used through its index.ts; setup file by file, so that a command loads only what it uses; and a keeper takes the masker " +
        "alone, because the index.ts of config brings zod and yaml, which each of its processes would load; tests share the testkits",
      from: { path: "^src/([^/]+)/", pathNot: ["^src/agents/keeper/keep\\.ts$", "\\.(test|testkit)\\.ts$"] },
      to: { path: "^src/[^/]+/", pathNot: ["^src/$1/", "^src/[^/]+/index\\.ts$", "^src/setup/[^/]+\\.ts$"] },
    },
    {
      name: "tests-by-contract",
      severity: "error",
      comment: "as other-rooms-by-contract, and testkits",
      from: { path: "^src/([^/]+)/.*\\.(test|testkit)\\.ts$" },
      to: { path: "^src/[^/]+/", pathNot: ["^src/$1/", "^src/[^/]+/index\\.ts$", "^src/setup/[^/]+\\.ts$", "\\.testkit\\.ts$"] },
    },
    {
      name: "keeper-takes-little",
      severity: "error",
      comment: "see other-rooms-by-contract: of other rooms a keeper's process loads the masker only",
      from: { path: "^src/agents/keeper/keep\\.ts$" },
      to: { path: "^src/(?!agents/|config/masker\\.ts$)", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "library-by-contract",
      severity: "error",
      comment: "src/index.ts re-exports contracts and nothing else",
      from: { path: "^src/index\\.ts$" },
      to: { path: "^src/", pathNot: "^src/[^/]+/index\\.ts$" },
    },
    {
      name: "library-is-above-all",
      severity: "error",
      comment: "src/index.ts is for those outside: no room imports it",
      from: { path: "^src/[^/]+/" },
      to: { path: "^src/index\\.ts$" },
    },
    {
      name: "domain-is-pure",
      severity: "error",
      from: { path: "^src/domain/", pathNot: "\\.(test|testkit)\\.ts$" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "web-takes-the-domain",
      severity: "error",
      comment: "the dashboard is built for browsers: of src it takes the words of the domain, by its index.ts, and its own files",
      from: { path: "^web/src/", pathNot: "\\.test\\.tsx?$" },
      to: { path: "^(src|test|bench|scripts)/", pathNot: "^src/domain/index\\.ts$" },
    },
    {
      name: "web-tests-take-the-domain",
      severity: "error",
      comment: "as web-takes-the-domain, and its testkits",
      from: { path: "^web/src/.*\\.test\\.tsx?$" },
      to: { path: "^(src|test|bench|scripts)/", pathNot: "^src/domain/(index|[^/]+\\.testkit)\\.ts$" },
    },
    {
      name: "web-by-the-network",
      severity: "error",
      comment: "what is built for browsers is no part of the program",
      from: { path: "^src/" },
      to: { path: "^web/" },
    },
    {
      name: "web-has-no-node",
      severity: "error",
      from: { path: "^web/src/", pathNot: "\\.test\\.tsx?$" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: { path: "^(src|web/src)/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "src-does-not-import-tests",
      severity: "error",
      from: { path: "^src/", pathNot: "\\.(test|testkit)\\.ts$|conformance" },
      to: { path: "^(test|bench)/|\\.(test|testkit)\\.ts$" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|web/dist|node_modules)/" },
    enhancedResolveOptions: { extensions: [".ts", ".tsx", ".js", ".json"] },
  },
};
