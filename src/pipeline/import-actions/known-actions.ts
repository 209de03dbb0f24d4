import type { JobStep } from "./workflow.ts";

/** What a `uses:` step becomes: nothing, a note, or the end of the step with a reason. */
export type ActionMeaning = { effect: "none" } | { effect: "dropped" | "changed" | "stops"; message: string };

/** The inputs of checkout that ask for other files than the project's own at the run's tip. */
const OTHER_CHECKOUTS = ["repository", "ref", "path", "sparse-checkout"];

/** Actions that put a tool on the machine; here the machine's own is used. */
const SETUP = /(?:^|\/)(?:setup-[\w-]+|rust-toolchain|action-setup|cache-cargo-install-action|actions-rs-toolchain)$/;
const CACHES = /(?:^|\/)(?:cache|rust-cache|sccache-action)(?:\/(?:restore|save))?$/;

export function actionMeaning(step: JobStep): ActionMeaning {
  const uses = step.uses ?? "";
  const name = uses.split("@")[0] ?? "";
  const spelt = `uses: ${uses}`;
  if (name === "actions/checkout") {
    const other = step.with.find((input) => OTHER_CHECKOUTS.includes(input.name) && input.value !== "");
    if (other)
      return {
        effect: "stops",
        message: `${spelt} with ${other.name} is not supported; a step works on the files of its own run`,
      };
    const submodules = step.with.find((input) => input.name === "submodules" && input.value !== "" && input.value !== "false");
    return submodules ? { effect: "dropped", message: `${spelt}: submodules are not fetched` } : { effect: "none" };
  }
  if (name.startsWith("./")) return { effect: "stops", message: `${spelt} is not supported; write what that action does as commands` };
  if (uses.startsWith("docker://")) return { effect: "stops", message: `${spelt} is not supported; call docker in a command` };
  if (SETUP.test(name)) {
    const versions = step.with.filter((input) => /version|toolchain/.test(input.name)).map((input) => `${input.name} ${input.value}`);
    const asks = versions.length === 0 ? "" : ` (asked for: ${versions.join(", ")})`;
    return { effect: "changed", message: `${spelt}: what is installed on the machine is used${asks}` };
  }
  if (CACHES.test(name)) return { effect: "dropped", message: `${spelt}: nothing is cached, as if it were always a miss` };
  return { effect: "stops", message: `${spelt} is not supported; write what it does as a command` };
}
