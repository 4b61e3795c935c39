import { beforeEach, describe, expect, it } from "vitest";
import type { Hash, PeerId, VolunteerKey } from "../../protocol/ids.ts";
import { MAX_INTRODUCED } from "../../protocol/introduction.ts";
import { Introductions } from "./introductions.ts";

const OBJECT = "a".repeat(64) as Hash;
const NEWEST = "b".repeat(64) as Hash;
const id = (n: number) => `p${n}`.padEnd(22, "_") as PeerId;
const key = (n: number) => `k${n}`.padEnd(43, "_") as VolunteerKey;
let now = 0;
let introductions: Introductions;
beforeEach(() => {
  now = 0;
  let seed = 3;
  introductions = new Introductions(
    () => now,
    () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    },
  );
});

interface Said {
  holds?: Hash[];
  wants?: Hash;
  wrong?: PeerId[];
  latest?: boolean;
  token?: PeerId;
  as?: VolunteerKey;
}
const announce = (
  n: number,
  { holds = [], wrong = [], latest = false, token = id(n), as = key(n), wants }: Said = {},
) => introductions.announce(as, { id: id(n), token, holds, wrong, latest, ...(wants && { wants }) }, NEWEST);

describe("K5: introductions", () => {
  it("are to those who have or seek the same object, a handful at most", () => {
    announce(1, { holds: [OBJECT] });
    announce(2, { holds: [NEWEST] });
    announce(3, { wants: OBJECT });
    const { peers, swarm, holders } = announce(4, { wants: OBJECT });
    expect(new Set(peers)).toEqual(new Set([id(1), id(3)]));
    expect([swarm, holders]).toEqual([3, 1]);
    for (let n = 10; n < 100; n++) announce(n, { holds: [OBJECT] });
    expect(announce(5, { wants: OBJECT }).peers).toHaveLength(MAX_INTRODUCED);
    expect(announce(6).peers).toEqual([]);
  });

  it("count who follows the run for the newest snapshot, and for that alone", () => {
    announce(1, { latest: true });
    expect(announce(2, { wants: NEWEST }).peers).toEqual([id(1)]);
    expect(announce(3, { wants: OBJECT }).peers).toEqual([]);
  });

  it("forget who has not been heard of for a minute", () => {
    announce(1, { holds: [OBJECT] });
    now = 59_999;
    expect(announce(2, { wants: OBJECT }).peers).toEqual([id(1)]);
    now = 60_000;
    expect(announce(3, { wants: OBJECT }).peers).toEqual([id(2)]);
    expect(introductions.knows(id(1), id(1))).toBe(false);
  });

  it("leave an id to who announced it", () => {
    announce(1, { holds: [OBJECT] });
    expect(() => announce(1, { holds: [] })).not.toThrow(); // the control
    expect(() => announce(1, { as: key(9) })).toThrow(expect.objectContaining({ code: "id-taken" }));
    expect(() => announce(1, { token: id(9) })).toThrow(expect.objectContaining({ code: "id-taken" }));
  });

  it("know a few ids of one volunteer at most", () => {
    for (let n = 0; n < 20; n++) announce(n, { as: key(1) });
    expect(introductions.size).toBe(4);
  });
});

describe("K6: who may signal to whom", () => {
  it("is who was introduced, both ways, and by its token", () => {
    announce(1, { holds: [OBJECT] });
    announce(3, { holds: [NEWEST] });
    announce(2, { wants: OBJECT });
    expect(introductions.haveMet(id(2), id(1))).toBe(true);
    expect(introductions.haveMet(id(1), id(2))).toBe(true);
    expect(introductions.haveMet(id(2), id(3))).toBe(false);
    expect(introductions.knows(id(1), id(1))).toBe(true);
    expect(introductions.knows(id(1), id(2))).toBe(false);
    expect(introductions.knows(id(7), id(7))).toBe(false);
  });
});

describe("K9: reports", () => {
  it("of three volunteers that were introduced to a peer end its introductions", () => {
    announce(1, { holds: [OBJECT] });
    for (const n of [2, 3]) {
      announce(n, { wants: OBJECT });
      announce(n, { wrong: [id(1)] });
    }
    announce(3, { wrong: [id(1)] }); // a second time counts nothing
    expect(announce(5, { wants: OBJECT }).peers).toEqual([id(1)]); // the control
    announce(5, { wrong: [id(1)] });
    expect(announce(6, { wants: OBJECT }).peers).toEqual([]);
  });

  it("of strangers count nothing", () => {
    announce(1, { holds: [OBJECT] });
    for (const n of [2, 3, 4, 5]) announce(n, { wrong: [id(1)] });
    expect(announce(6, { wants: OBJECT }).peers).toEqual([id(1)]);
  });
});
