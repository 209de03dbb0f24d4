/** Every key of the format, once at least. For tests. */
export const WHOLE = `name: fix-and-verify
description: Fixes it
budget: 0.50
defaults: { timeout: 10m, retry: 2, agent: coder, setup: [npm ci], teardown: [docker compose down] }
env: { CI: "1", VERSION: 1.10, DEBUG: true }
protected: ["test/**"]
inputs: { title: string, dirs: { type: list, default: [a, b], description: Where }, level: { default: 1, choices: [1, 2] } }
secrets: [TOKEN]
outputs: { all: steps.each.output }
steps:
  fix:
    prompt: |
      Fix sum()
    agent: { id: coder, tier: weak, capability: web_search }
    outputs: { files: [src/sum.js], json: { file: plan.json, schema: { type: object } } }
    gates:
      - node --test
      - command: npm test
        name: unit tests
        timeout: 2m
      - files: [docs/x.md]
      - node --test
    setup: []
    teardown: ["dropdb x"]
    retry: { attempts: 4, backoff: 5s }
    timeout: 90
    env: { A: "1", CI: "2" }
    budget: "$0.10"
    touches: ["src/**"]
    priority: 5
    affinity: frontend
    protected: []
  2:
    command: npm run lint
    needs: fix
    readonly: true
  docs:
    prompt: Write
    needs: ["2", fix, fix]
    outputs: [docs/a.md]
    gates:
      - diff: { max-files: 3, max-lines: 50, allow: [docs], forbid: ["**/*.lock"] }
      - coverage: { allow: [notes] }
      - schema: { files: docs/*.json, schema: { type: object } }
      - { regression: { command: npm test, format: junit, report: [out.xml] }, timeout: 3m, name: no regression }
      - syntax: { files: [docs], except: [docs/broken] }
      - judge: { rubric: [It is brief, { id: clear, text: "It says \${{ inputs.title }}", at-least: 6 }], judges: [coder, mid], stronger: strong, at-least: 8 }
  each:
    needs: docs
    if: steps.docs.outcome == 'succeeded' && inputs.level > 1
    foreach: inputs.dirs
    max: 20
    fail-fast: false
    parallel: 2
    prompt: "Do \${{ item }} as \${{ inputs.title }} says"
    permissions: edits
    outputs: ["\${{ item }}.md"]
    env: { TOKEN: "\${{ secrets.TOKEN }}" }
    may-fail: true
  builds:
    matrix: { os: [linux, mac], v: [1, 2], exclude: [{ os: mac, v: 1 }], include: [{ os: linux, lto: true }] }
    with: { extra: "\${{ matrix.v }}" }
    budget: 2
    repeat: { until: { command: "test \${{ round }} -gt 1" }, max: 3 }
    outputs: { last: steps.build.summary }
    steps:
      build: { command: "make \${{ matrix.os }} \${{ inputs.extra }}", readonly: true }
  ship:
    needs: [each, builds]
    approve: { title: Ship?, detail: "\${{ steps.fix.summary }}", who: [ann, bob], count: 2, expires: 2d, on-expiry: approve, rework: [fix] }
  best:
    prompt: "Do \${{ inputs.title }} well"
    best-of: { agents: [coder, writer], judges: [mid], stronger: strong, rubric: It is short }
    outputs: [best.md]
    budget: 1
  which: { ask: { question: Which?, choices: [a, b], default: a, after: 1h } }
  alarm: { command: ./alarm, readonly: true, on-failure: true }
  cleanup: { command: ./clean, readonly: true, finally: true }
`;
