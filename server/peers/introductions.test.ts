import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Hash, PeerId, VolunteerKey } from "../../protocol/ids.ts";
import { MAX_INTRODUCED } from "../../protocol/introduction.ts";
import { Introductions } from "./introductions.ts";
import { Picks } from "./sharers.ts";

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
  from?: string;
}
const announce = (
  n: number,
  { holds = [], wrong = [], latest = false, token = id(n), as = key(n), wants, from }: Said = {},
) =>
  introductions.announce(
    as,
    { id: id(n), token, holds, wrong, latest, ...(wants && { wants }) },
    NEWEST,
    from,
  );

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

describe("A4: what one announcement costs", () => {
  const hash = (n: number) => String(n).padStart(64, "0") as Hash;
  /** How many ids the catalogue hands out for one introduction, among so many who share the object. */
  function looked(others: number): number {
    introductions = new Introductions(
      () => 0,
      () => 0.37,
    );
    for (let n = 0; n < others; n++) announce(n, { holds: [OBJECT] });
    const look = vi.spyOn(Picks.prototype, "at");
    announce(others, { wants: OBJECT });
    const looks = look.mock.calls.length;
    look.mockRestore();
    return looks;
  }

  it("is bounded, and not by how many others share the object", () => {
    const few = looked(10);
    expect(few).toBeGreaterThan(0); // the control: looking is what is counted
    expect(looked(5_000)).toBeLessThanOrEqual(64);
    expect(looked(20_000)).toBeLessThanOrEqual(64);
  });

  it("is bounded where all that are looked at are shunned, too, and others are found when they come up", () => {
    announce(0, { holds: [OBJECT] });
    for (let n = 1; n < 40; n++) announce(n, { holds: [OBJECT], as: key(999) });
    expect(announce(100, { wants: OBJECT }).peers.length).toBeGreaterThan(0);
  });

  it("leaves no more of one network than its share, whoever signs, and of another all", () => {
    for (let n = 0; n < 100; n++) announce(n, { holds: [OBJECT], from: "198.51.100.0/24" });
    for (let n = 1_000; n < 4_000; n++) announce(n, { holds: [OBJECT], from: "203.0.113.0/24" });
    expect(introductions.size).toBe(100 + 512);
    introductions = new Introductions(() => 0, Math.random);
    for (let n = 1_000; n < 4_000; n++) announce(n, { holds: [OBJECT] });
    expect(introductions.size).toBe(3_000); // the control: without a network's name
  });

  it("keeps so many objects in all and no more, and nothing of who is forgotten", () => {
    let n = 0;
    const held = () => Array.from({ length: 64 }, () => hash(n++));
    for (let i = 0; i < 2_500; i++) announce(i, { holds: held(), wants: OBJECT });
    expect(introductions.size).toBeLessThanOrEqual(150_000 / 65);
    expect(introductions.size).toBeGreaterThan(2_300);
    now = 60_000;
    expect(introductions.size).toBe(0);
    expect(announce(1, { wants: OBJECT })).toEqual({ peers: [], swarm: 1, holders: 0 });
  });

  it("counts each once, as holder or seeker, whatever else it says", () => {
    announce(1, { holds: [NEWEST], latest: true });
    announce(2, { latest: true });
    announce(3, { holds: [NEWEST], wants: NEWEST });
    announce(4, { wants: NEWEST });
    const made = announce(5, { wants: NEWEST });
    expect(made).toMatchObject({ swarm: 5, holders: 3 });
    expect(new Set(made.peers)).toEqual(new Set([1, 2, 3, 4].map(id)));
    announce(1); // and none of it when it says nothing any more
    expect(announce(5, { wants: NEWEST })).toMatchObject({ swarm: 4, holders: 2 });
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

  it("of one network count once, whatever keys it signs with", () => {
    announce(1, { holds: [OBJECT] });
    const report = (n: number, from: string) => {
      announce(n, { wants: OBJECT, from });
      announce(n, { wrong: [id(1)], from });
    };
    for (const n of [2, 3, 4, 5]) report(n, "203.0.113.0/24");
    expect(announce(6, { wants: OBJECT }).peers).toContain(id(1));
    report(7, "198.51.100.0/24");
    report(8, "192.0.2.0/24");
    expect(announce(9, { wants: OBJECT }).peers).not.toContain(id(1)); // the control
  });

  it("of strangers count nothing", () => {
    announce(1, { holds: [OBJECT] });
    for (const n of [2, 3, 4, 5]) announce(n, { wrong: [id(1)] });
    expect(announce(6, { wants: OBJECT }).peers).toEqual([id(1)]);
  });
});
