/** Every key of the format, once at least. For tests. */
export const WHOLE = `name: fix-and-verify
description: Fixes it
budget: 0.50
defaults: { timeout: 10m, retry: 2, agent: coder, setup: [npm ci] }
env: { CI: "1", VERSION: 1.10, DEBUG: true }
protected: ["test/**"]
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
`;
