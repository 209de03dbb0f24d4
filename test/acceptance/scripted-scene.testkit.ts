import { Scene } from "../../src/cli/cli.testkit.ts";
import { startScriptedModel, type ScriptedModel, type ScriptFunction } from "../../src/models/index.ts";

/** A project, and the scripted model that its agents ask at `baseUrl`; both end together. */
export interface ScriptedScene extends AsyncDisposable {
  scene: Scene;
  model: ScriptedModel;
}

export async function scriptedScene(
  script: ScriptFunction,
  apiKey: string,
  files: (baseUrl: string) => Readonly<Record<string, string>>,
): Promise<ScriptedScene> {
  const model = await startScriptedModel({ script, apiKey });
  const scene = new Scene(files(model.baseUrl));
  return {
    scene,
    model,
    [Symbol.asyncDispose]: async () => {
      await scene[Symbol.asyncDispose]();
      await model.close();
    },
  };
}
