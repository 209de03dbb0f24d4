/**
 * The project that crashes: sixteen steps of every kind, side by side and one after the other. Its budget has room for the shares of two attempts and for what
 * all of them spend, and not for a share that a crash left behind. `log`: path stem of what its commands write down.
 */
export function projectFiles(at: { folder: string; log: string; model: string; acpAgent: readonly string[] }): Record<string, string> {
  const { folder, log, model, acpAgent } = at;
  const note = `echo $STEPFALL_ATTEMPT >> ${log}.ran`;
  const work = (file: string, more = ""): string =>
    `{ needs: plan, command: "${note}; sleep 0.2; echo ${file} > ${file}.txt", outputs: [${file}.txt], gates: ["sh gate.sh"]${more} }`;
  const acp = (script: string): string =>
    `{ executor: acp, credentials: direct, command: ${JSON.stringify([...acpAgent, `${folder}/${script}`])}, tier: free }`;
  return {
    "look.sh": look,
    // On a merged tree it looks at all that is there, so that a merge of another makes it judge again.
    "gate.sh": `sleep 0.05; for f in *.txt; do test -s "$f" || exit 1; done\n`,
    // A program of the user's as an agent. Its first attempt fails.
    "flaky.sh": `${note}\ncase "$STEPFALL_ATTEMPT" in *#1) sleep 0.1; echo I could not; exit 7 ;; esac\nsleep 0.2; echo flaky > flaky.txt\n`,
    "acp-plain.json": JSON.stringify({
      prompt: [
        { do: "say", text: "I write it." },
        { do: "sleep", ms: 200 },
        { do: "write", path: "acp.txt", content: "acp\n" },
        { do: "sleep", ms: 100 },
        { do: "say", text: "It is written." },
      ],
    }),
    "acp-asks.json": JSON.stringify({
      prompt: [
        { do: "say", text: "I ask." },
        {
          do: "ask",
          toolCall: { toolCallId: "x", title: "write leave.txt", kind: "execute", rawInput: { command: "write leave.txt" } },
          options: [
            { optionId: "yes", name: "Yes", kind: "allow_once" },
            { optionId: "no", name: "No", kind: "reject_once" },
          ],
          thenWrite: { path: "leave.txt", content: "leave\n" },
        },
        { do: "sleep", ms: 100 },
        { do: "say", text: "It is written." },
      ],
    }),
    "stepfall.yaml": `slots: 6
setup: ["sh look.sh ${log}"]
default-agent: coder
budget: { run: 0.6, attempt: 0.25 }
agents:
  coder: { executor: chat, model: fake/coder-1, tier: mid }
  flaky: { executor: shell, command: "sh flaky.sh" }
  scribe: { executor: shell, command: "sleep 0.1; echo report > report.txt" }
  acp-plain: ${acp("acp-plain.json")}
  acp-asks: ${acp("acp-asks.json")}
providers:
  fake: { url: "${model}", key-env: FAKE_KEY, prices: { coder-1: { input: 1, output: 2 } } }
`,
    "crash.yaml": `name: crash
defaults: { timeout: 60s, retry: 6 }
steps:
  plan: { command: "${note}; echo plan > plan.txt", outputs: [plan.txt] }
  colour: { ask: { question: "Which colour?", choices: [red, blue] } }
  left: ${work("left")}
  right: ${work("right")}
  third: ${work("third", ", priority: 1")}
  answer: { prompt: Write the number into answer.txt, outputs: [answer.txt], gates: ["grep -q 42 answer.txt"] }
  word: { needs: plan, prompt: Write the word into word.txt, outputs: [word.txt] }
  acp: { prompt: Write acp.txt, agent: acp-plain, outputs: [acp.txt] }
  leave: { prompt: Write leave.txt, agent: acp-asks, permissions: ask, outputs: [leave.txt] }
  flaky: { needs: plan, prompt: Write flaky.txt, agent: flaky, outputs: [flaky.txt] }
  paint: { needs: [colour, plan], command: "${note}; echo \${{ steps.colour.output.answer }} > colour.txt", outputs: [colour.txt], gates: ["sh gate.sh"] }
  sides: { needs: [left, right], readonly: true, command: "${note}; cat left.txt right.txt", gates: ["test -f left.txt"] }
  sign: { needs: [answer, word, acp, leave, flaky], approve: { title: "Sign it?" } }
  report: { needs: [sign, sides], prompt: Write report.txt, agent: scribe, outputs: [report.txt] }
  all: { needs: [report, paint, third], command: "${note}; cat [!a]*.txt answer.txt acp.txt > all.txt", outputs: [all.txt], gates: ["test $(wc -l < all.txt) -eq 11"] }
  last: { needs: all, readonly: true, command: "${note}; grep -q blue all.txt", gates: ["test -s all.txt"] }
`,
  };
}

/** What an attempt's preparation runs first: whether an older attempt of the same step still has a process anywhere. */
const look = `log=$1
for environ in $(grep -lsa "STEPFALL_ATTEMPT=$STEPFALL_RUN/$STEPFALL_STEP#" /proc/[0-9]*/environ); do
  other=$(tr '\\0' '\\n' < "$environ" 2> /dev/null | grep '^STEPFALL_ATTEMPT=')
  case "$other" in
    "" | "STEPFALL_ATTEMPT=$STEPFALL_ATTEMPT") ;;
    *) echo "$STEPFALL_ATTEMPT met $other in $environ" >> "$log.met" ;;
  esac
done
`;
