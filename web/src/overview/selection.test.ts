import { describe, expect, test } from "vitest";
import { noneChosen, toggle, toggleAll } from "./selection.ts";

const order = ["a", "b", "c", "d", "e"];

describe("choosing several runs", () => {
  test("with shift, all from the one that was touched last are chosen, up or down; and let go again", () => {
    const down = toggle(toggle(noneChosen, order, "b", false), order, "d", true);
    expect([...down.chosen]).toEqual(["b", "c", "d"]);
    const up = toggle(down, order, "a", true);
    expect([...up.chosen].toSorted()).toEqual(["a", "b", "c", "d"]);
    expect([...toggle(up, order, "c", true).chosen].toSorted()).toEqual(["d"]);
  });

  test("with shift and nothing touched before, or something that is shown no more, it is one run", () => {
    expect([...toggle(noneChosen, order, "c", true).chosen]).toEqual(["c"]);
    expect([...toggle({ chosen: new Set(), anchor: "gone" }, order, "c", true).chosen]).toEqual(["c"]);
  });

  test("all of a table are chosen, and when they are, let go; others stay as they are", () => {
    const all = toggleAll(toggle(noneChosen, order, "e", false), ["a", "b"]);
    expect([...all.chosen].toSorted()).toEqual(["a", "b", "e"]);
    expect([...toggleAll(all, ["a", "b"]).chosen]).toEqual(["e"]);
  });
});
