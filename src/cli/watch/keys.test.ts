import fc from "fast-check";
import { expect, test } from "vitest";
import { entriesOf, type Scene } from "./entries.ts";
import { firstUi, press, settled, type Act, type Ui } from "./keys.ts";
import { RUN, sceneOf, waits } from "./watch.testkit.ts";

/** A view as a person has it before them: what is drawn is settled. */
class View {
  ui: Ui;
  scene: Scene;
  constructor(scene: Scene, { ofAll = false } = {}) {
    this.scene = scene;
    this.ui = firstUi(ofAll ? undefined : RUN);
    this.draw();
  }
  get entries() {
    return entriesOf(this.scene, this.ui.run, this.ui.unfolded);
  }
  draw(scene = this.scene): void {
    this.scene = scene;
    this.ui = settled(this.ui, this.entries);
  }
  press(...keys: string[]): Act | undefined {
    let act: Act | undefined;
    for (const key of keys) {
      const isName = ["up", "down", "return", "escape", "backspace"].includes(key);
      const pressed = press(
        this.ui,
        isName ? { name: key, sequence: key === "return" ? "\r" : "\u001b[A" } : { name: key, sequence: key },
        this.entries,
        this.scene,
      );
      this.ui = pressed.ui;
      act = pressed.act;
      this.draw();
    }
    return act;
  }
}

test("an approval is given with one key, refused and sent back with words", () => {
  const view = new View(sceneOf([waits(1)]));
  expect(view.press("a")).toEqual({ kind: "answer", item: `${RUN}/ok!1`, verdict: "approve" });
  expect(view.press("r", "return")).toEqual({ kind: "answer", item: `${RUN}/ok!1`, verdict: "reject" });
  expect(view.press("w", "return")).toBeUndefined();
  expect(view.ui.note).toContain("Write something");
  expect(view.press("n", "o", "!", "backspace", "return")).toEqual({ kind: "answer", item: `${RUN}/ok!1`, verdict: "rework", text: "no" });
  // On the step that waits it is the same item.
  const step = view.entries.findIndex((e) => e.kind === "step" && e.row.id === "ok");
  expect(view.press(...Array.from({ length: step }, () => "down"), "a")).toMatchObject({ item: `${RUN}/ok!1` });
  expect(view.press("down", "a")).toBeUndefined();
  expect(view.ui.note).toContain("Nothing waits there");
});

test("a question and a spent budget are answered with a choice, by its number or its words", () => {
  const choices = ["raise to $2", "cheaper", "stop"];
  for (const kind of ["question", "budget"] as const) {
    const view = new View(sceneOf([waits(1, kind, { choices })]));
    expect(view.press("a")).toBeUndefined();
    expect(view.ui.note).toContain("press Enter");
    expect(view.press("return", "2", "return")).toEqual({ kind: "answer", item: `${RUN}/ok!1`, verdict: "answer", text: "cheaper" });
    expect(view.press("return", "r", "a", "escape")).toBeUndefined();
    expect(view.press("return", ..."raise 5", "return")).toMatchObject({ text: "raise 5" });
  }
});

test("cancel asks first, and only y does it; q leaves at once; Ctrl-C leaves as interrupted", () => {
  const view = new View(sceneOf());
  expect(view.press("c", "return")).toBeUndefined();
  expect(view.ui.note).toBe("Not cancelled.");
  expect(view.press("c", "y")).toEqual({ kind: "cancel", runId: RUN });
  expect(view.press("q")).toEqual({ kind: "leave", isInterrupt: false });
  // While something is typed q is a letter.
  expect(view.press("m", "q")).toBeUndefined();
  expect(press(view.ui, { name: "c", ctrl: true }, view.entries, view.scene).act).toEqual({ kind: "leave", isInterrupt: true });
});

test("of all runs one is opened and left again; a run's one item is answered from the list", () => {
  const view = new View(sceneOf([waits(1)]), { ofAll: true });
  expect(view.press("down", "a")).toMatchObject({ item: `${RUN}/ok!1` });
  view.press("return");
  expect([view.ui.run, view.entries.some((e) => e.kind === "step")]).toEqual([RUN, true]);
  view.press("l", "escape");
  expect([view.ui.run, view.ui.pane]).toEqual([RUN, "none"]);
  view.press("escape");
  expect([view.ui.run, view.ui.selected]).toEqual([undefined, `run ${RUN}`]);
});

test("however items come and go between keys, what is answered is what was selected when it was drawn", () => {
  const key = fc.constantFrom("up", "down", "return", "escape", "a", "r", "w", "l", "x", "1", "c", "y");
  const change = fc
    .subarray([1, 2, 3, 4])
    .map((ns) => ns.map((n) => waits(n, n % 2 === 0 ? "question" : "approval", n % 2 === 0 ? { choices: ["one"] } : {})));
  fc.assert(
    fc.property(fc.array(fc.oneof(key, change), { maxLength: 60 }), (story) => {
      const view = new View(sceneOf([waits(1)]));
      for (const next of story) {
        if (typeof next !== "string") {
          view.draw(sceneOf(next));
          continue;
        }
        const { asking, selected } = view.ui;
        const act = view.press(next);
        if (act?.kind === "answer" && act.verdict === "approve") {
          expect(view.scene.items.map((i) => i.item)).toContain(act.item);
          expect([`item ${act.item}`, "step ok"]).toContain(selected);
        } else if (act?.kind === "answer") expect(asking && "item" in asking && asking.item).toBe(act.item);
        else if (act?.kind === "cancel") expect([asking?.kind, next]).toEqual(["cancel", "y"]);
      }
    }),
  );
});
