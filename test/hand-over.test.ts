import { beforeAll, describe, expect, it } from "vitest";
import {
  type Code,
  digitsOf,
  drawCode,
  drawReader,
  openHanded,
  readCode,
  sealFor,
} from "../client/volunteer/people/code.ts";
import { type HandOverParts, handOver, receive } from "../client/volunteer/people/hand-over.ts";
import { utf8 } from "../protocol/bytes.ts";
import { CODE_MS, type CodeRequest, parseCodeRequest } from "../protocol/code.ts";
import { parseJson } from "../protocol/guards.ts";
import { createIdentity, type Identity, sign, verify } from "../protocol/identity.ts";
import type { RunId } from "../protocol/ids.ts";
import { Codes } from "../server/peers/codes.ts";

const RUN = "9".repeat(64) as RunId;

let [mine, a, b, c] = [] as unknown as Identity[];
beforeAll(async () => {
  [mine, a, b, c] = await Promise.all([
    createIdentity(true),
    createIdentity(),
    createIdentity(),
    createIdentity(),
  ]);
});

/** The server's boxes, and all that it saw. */
class Relay {
  now = 0;
  /** Whether waiting takes time. */
  timed = false;
  readonly codes = new Codes(() => this.now);
  readonly seen: string[] = [];

  parts(code: Code, who: Identity): HandOverParts {
    return {
      code,
      ask: async (request: CodeRequest) => {
        const body = JSON.stringify(request);
        const answer = this.codes.take(who.key, parseCodeRequest(parseJson(utf8(body))));
        this.seen.push(body, JSON.stringify(answer));
        return answer;
      },
      wait: async (ms) => {
        if (this.timed) this.now += ms;
        await new Promise((resolve) => setImmediate(resolve));
      },
    };
  }
}

const always = { left: () => {}, agree: async () => true };

describe("a key between two open pages", () => {
  it("U6: is carried by who reads the code; both show the same digits, and the server sees neither key nor code", async () => {
    const relay = new Relay();
    const code = await drawCode(RUN);
    const shown: string[] = [];
    const agree = async (digits: string) => shown.push(digits) > 0;
    let opened = () => {};
    const isOpen = new Promise<void>((resolve) => {
      opened = resolve;
    });
    const handing = handOver(relay.parts(code, a!), mine!, { left: () => opened(), agree });
    await isOpen;
    const read = await readCode(`https://train.example/r/whales/#code=${code.text}`, RUN);
    const got = await receive(relay.parts(read, b!), (digits) => shown.push(digits));
    expect(await handing).toBe("taken");
    expect(got.key).toBe(mine!.key);
    expect(await verify(mine!.key, "request", 1, await sign(got.privateKey, "request", 1))).toBe(true);
    expect(got.privateKey.extractable, "so that it can be carried on").toBe(true);
    expect(shown[0]).toMatch(/^\d{3} \d{3}$/);
    expect(new Set(shown).size).toBe(1);
    const { d } = await crypto.subtle.exportKey("jwk", mine!.privateKey);
    const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", mine!.privateKey)).toString("base64url");
    for (const secret of [code.text, d!, pkcs8]) expect(relay.seen.join()).not.toContain(secret);
  });

  it("A35: whoever keeps all that passed, and finds the code later, cannot read the key; the control can", async () => {
    const code = await drawCode(RUN);
    const reader = await drawReader(code);
    const handed = await sealFor(code, reader.knock, mine!);
    const later = await drawReader(code); // with the code alone, as anybody could draw
    await expect(openHanded(code, { ...later, knock: reader.knock }, handed)).rejects.toThrow(
      "cannot be read",
    );
    expect((await openHanded(code, reader, handed)).key).toBe(mine!.key);
  });

  it("A35: a server that knocks itself, or changes a knock, gets nothing; the owner hears of it", async () => {
    const code = await drawCode(RUN);
    const other = await drawCode(RUN);
    const relay = new Relay();
    const { knock } = await drawReader({ ...other, box: code.box });
    await relay.parts(code, a!).ask({ box: code.box, open: true });
    await relay.parts(code, c!).ask({ box: code.box, knock });
    expect(await handOver(relay.parts(code, a!), mine!, always)).toBe("stranger");
    await expect(sealFor(code, knock, mine!)).rejects.toThrow("without the code");
  });

  it("U6: works once: the second reader is refused, and where digits differ the owner sends nothing", async () => {
    const relay = new Relay();
    const code = await drawCode(RUN);
    const thief = await drawReader(code); // photographed the code
    await relay.parts(code, a!).ask({ box: code.box, open: true });
    await relay.parts(code, c!).ask({ box: code.box, knock: thief.knock });
    await expect(receive(relay.parts(code, b!), () => {})).rejects.toMatchObject({ code: "code-used" });
    let asked = "";
    const agree = async (digits: string) => {
      asked = digits;
      return false;
    };
    expect(await handOver(relay.parts(code, a!), mine!, { left: () => {}, agree })).toBe("declined");
    expect(asked).toBe(await digitsOf(code, thief.knock));
    expect(asked).not.toBe(await digitsOf(code, (await drawReader(code)).knock));
    expect(relay.codes.take(c!.key, { box: code.box, knock: thief.knock }).hand).toBeNull();
  });

  it("U6: is over after two minutes, and fits no other run", async () => {
    const relay = new Relay();
    const code = await drawCode(RUN);
    let last = CODE_MS;
    relay.timed = true;
    const left = (ms: number) => {
      last = ms;
    };
    expect(await handOver(relay.parts(code, a!), mine!, { left, agree: async () => true })).toBe("over");
    expect(relay.now).toBe(CODE_MS);
    expect(last).toBeLessThanOrEqual(1_000);
    const elsewhere = await readCode(code.text, "8".repeat(64) as RunId);
    expect(elsewhere.box).not.toBe(code.box);
    const knock = (await drawReader(elsewhere)).knock;
    await expect(sealFor(code, knock, mine!)).rejects.toThrow("without the code");
  });

  it.each(["", "x", "https://train.example/", "#code=short", `#code=${"a".repeat(23)}`, "=".repeat(22)])(
    "%j is no code",
    async (text) => {
      await expect(readCode(text, RUN)).rejects.toThrow("no code");
    },
  );

  it.each(["", ".", "a.b.c.d", "AAAA.AAAA", `${"A".repeat(87)}.${"A".repeat(16)}.AA.AA`])(
    "what is handed over as %j is refused",
    async (note) => {
      const code = await drawCode(RUN);
      await expect(openHanded(code, await drawReader(code), note)).rejects.toThrow("cannot be read");
    },
  );
});
