import { describe, expect, it } from "vitest";
import type { RunId } from "../../../protocol/ids.ts";
import type { RunHelp } from "../../../protocol/run-help.ts";
import { type Anywhere, keepAnywhere, movedFrom, movedTo, readAnywhere } from "../../ui/anywhere-consent.ts";
import { whereTo } from "./where-to.ts";

const idOf = (digit: string) => digit.repeat(64) as RunId;
const [whales, welsh, recipes] = [idOf("1"), idOf("2"), idOf("3")];
const run = (id: RunId, help: number) => ({ run: id, help }) as RunHelp; // nothing else is looked at

describe("where one more browser helps most", () => {
  const all = [whales, welsh, recipes];

  it("is where the server's measure says, if it helps there much more", () => {
    expect(whereTo([run(whales, 0.1), run(welsh, 0.3), run(recipes, 0.2)], whales, all)?.run).toBe(welsh);
    expect(whereTo([run(whales, 0.25), run(welsh, 0.3)], whales, all)).toBeUndefined();
    expect(whereTo([run(whales, 0.4), run(welsh, 0.3)], whales, all)).toBeUndefined();
  });

  it("is elsewhere when there is no work here, and nowhere where there is none at all", () => {
    expect(whereTo([run(whales, 0), run(welsh, 0.001)], whales, all)?.run).toBe(welsh);
    expect(whereTo([run(welsh, 0.001)], whales, all)?.run).toBe(welsh); // this one is gone
    expect(whereTo([run(whales, 0), run(welsh, 0)], whales, all)).toBeUndefined();
  });

  it("is never a run that the visitor did not agree to", () => {
    expect(whereTo([run(whales, 0.1), run(welsh, 1)], whales, [whales, recipes])).toBeUndefined();
  });
});

describe("consent to all of a server's runs", () => {
  class Kept {
    #value: string | null = null;
    getItem = () => this.#value;
    setItem = (_: string, value: string) => {
      this.#value = value;
    };
    removeItem = () => {
      this.#value = null;
    };
  }
  const given: Anywhere = { server: "https://a.example/train", runs: [whales, welsh] };

  it("is kept for these runs of this server, and holds for no other", () => {
    const storage = new Kept();
    expect(keepAnywhere(storage, given)).toBe(true);
    expect(readAnywhere(storage, given.server)).toEqual(given);
    expect(readAnywhere(storage, "https://a.example/other")).toBeUndefined();
    expect(keepAnywhere(undefined, given)).toBe(false);
  });

  it.each(["", "null", "{}", '{"server":"https://a.example/train","runs":["x"]}', '{"runs":7}'])(
    "kept as %j it was never given",
    (text) => {
      const storage = new Kept();
      storage.setItem("", text);
      expect(readAnywhere(storage, given.server)).toBeUndefined();
    },
  );

  it("an address says from where a browser was moved, and anything else says nothing", () => {
    expect(movedFrom(new URL(movedTo("../r/welsh", "whales"), "https://a.example/r/x/").hash)).toEqual({
      from: "whales",
    });
    expect(movedFrom("#moved")).toEqual({ from: undefined });
    for (const hash of ["", "#", "#moved=", "#moved=<b>", "#code=x"]) expect(movedFrom(hash)).toBeUndefined();
  });
});
