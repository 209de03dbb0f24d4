import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Scene, type Ended, type Running } from "../../src/cli/cli.testkit.ts";
import { startScriptedModel, type ScriptedAnswer, type ScriptedModel } from "../../src/models/index.ts";

const upstreamKey = "sk-upstream-0123456789abcdef";

/** Every place where a step's commands run looks first whether an older attempt of the same step still has a process anywhere. */
const look = `log=$1
for environ in $(grep -lsa "STEPFALL_ATTEMPT=$STEPFALL_RUN/$STEPFALL_STEP#" /proc/[0-9]*/environ); do
  other=$(tr '\\0' '\\n' < "$environ" 2> /dev/null | grep '^STEPFALL_ATTEMPT=')
  case "$other" in
    "" | "STEPFALL_ATTEMPT=$STEPFALL_ATTEMPT") ;;
    *) echo "$STEPFALL_ATTEMPT met $other in $environ" >> "$log.met" ;;
  esac
done
`;

/** Takes long on a merged tree when a test wants to meet it there. */
const gate = `case "$PWD" in */check-merge/*) sleep $(cat $1.gate) ;; *) sleep 0.2 ;; esac
`;

const answers = (refused: boolean, file: string, text: string, chunkDelayMs: number): ScriptedAnswer[] => [
  { text: refused ? "I see." : "I write it.", toolCalls: [{ name: "write_file", arguments: { path: file, content: `${text}\n` } }] },
  { text: `${file} is written and all of it is done now, as far as I can tell from here.`, chunkDelayMs },
];

/** A project, a home and a scripted endpoint that outlives the engine, so that it knows what was really served. */
export class VictimScene implements AsyncDisposable {
  readonly scene: Scene;
  readonly model: ScriptedModel;
  readonly log: string;

  /** How fast the model speaks. */
  readonly pace: { chunkDelayMs: number };

  private constructor(scene: Scene, model: ScriptedModel, pace: { chunkDelayMs: number }) {
    this.scene = scene;
    this.model = model;
    this.pace = pace;
    this.log = join(scene.folder, "log");
  }

  static async make(): Promise<VictimScene> {
    const pace = { chunkDelayMs: 10 };
    const model = await startScriptedModel({
      apiKey: upstreamKey,
      script: (request) => {
        const user = request.messages.findLast((m) => m.role === "user")?.content ?? "";
        const refused = user.includes("was refused");
        return answers(refused, "answer.txt", refused ? "42" : "41", pace.chunkDelayMs)[request.turn];
      },
    });
    const scene = new Scene();
    const self = new VictimScene(scene, model, pace);
    const step = (name: string): string =>
      `{ command: "echo $STEPFALL_ATTEMPT >> ${self.log}.ran; sleep 0.3; echo ${name} > ${name}.txt", outputs: [${name}.txt], gates: ["sh gate.sh ${self.log}"] }`;
    scene.write({
      "look.sh": look,
      "gate.sh": gate,
      "stepfall.yaml": `slots: 3
setup: ["sh look.sh ${self.log}"]
default-agent: coder
agents: { coder: { executor: chat, model: fake/coder-1, tier: mid } }
providers:
  fake: { url: "${model.baseUrl}", key-env: FAKE_KEY, prices: { coder-1: { input: 1, output: 2 } } }
`,
      "crash.yaml": `name: crash
defaults: { timeout: 60s, retry: 3 }
steps:
  left: ${step("left")}
  right: ${step("right")}
  fix:
    prompt: Write the number into answer.txt
    outputs: [answer.txt]
    gates: ["grep -q 42 answer.txt"]
  join:
    needs: [left, right, fix]
    command: "echo $STEPFALL_ATTEMPT >> ${self.log}.ran; cat left.txt right.txt answer.txt > all.txt"
    outputs: [all.txt]
    gates: ["test $(wc -l < all.txt) -eq 3"]
`,
    });
    self.setGate(0.2);
    scene.git("add", "--all");
    scene.git("commit", "--quiet", "--message", "pipeline");
    return self;
  }

  /** How long the gate of `left` and `right` takes on a merged tree from now on. */
  setGate(seconds: number): void {
    writeFileSync(`${this.log}.gate`, String(seconds));
  }

  get env(): Record<string, string> {
    return { FAKE_KEY: upstreamKey };
  }

  /** Lines of a log that the steps' commands write. */
  lines(kind: "ran" | "met"): string[] {
    const file = `${this.log}.${kind}`;
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").filter(Boolean) : [];
  }

  /** The engine in a process that kills itself. */
  victim(runId: string, kill?: { side: "before" | "after"; commit: number }): Running {
    const main = fileURLToPath(new URL("./engine-process.ts", import.meta.url));
    const args = [main, "crash.yaml", runId, ...(kill ? [kill.side, String(kill.commit)] : [])];
    const { scene } = this;
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
      cwd: scene.project,
      env: { PATH: process.env["PATH"], HOME: scene.folder, STEPFALL_HOME: scene.home, LC_ALL: "C.UTF-8", ...this.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const ended = new Promise<Ended>((resolve) =>
      // `exit`, not `close`: the victim's own children may hold its streams open.
      child.once("exit", (code, signal) => setTimeout(() => resolve({ code, signal, stdout, stderr }), 20)),
    );
    return { child, ended, said: () => Promise.reject(new TypeError("a victim says nothing")) };
  }

  resume(runId: string): Running {
    return this.scene.start(["resume", runId, "--json"], { env: this.env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scene[Symbol.asyncDispose]();
    await this.model.close();
  }
}
