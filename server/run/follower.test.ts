import { expect, test } from "vitest";
import { concat } from "../../protocol/bytes.ts";
import type { Hash, VolunteerKey } from "../../protocol/ids.ts";
import type { Created, DurableEvent } from "../coordinator/events.ts";
import { joinRecord } from "../store/record-parts.ts";
import { StoreError } from "../store/store.ts";
import type { Recordable } from "./event-log.ts";
import { Follower } from "./follower.ts";
import { encodeEvent } from "./record.ts";

const hash = "0".repeat(64) as Hash;
const volunteer = "v".repeat(43) as VolunteerKey;
const created: Created = { type: "created", at: 0, hash, genesis: {} };
const paused: Recordable = { type: "state", at: 1, state: "paused" };
const ruled: Recordable = { type: "ruled", at: 2, volunteer, ruling: "banned" };
const text: Recordable = { type: "text-added", at: 3, version: 0, from: 5, text: hash, tokens: 100 };
const published: Recordable = {
  ...{ type: "published", at: 4, version: 1, hash, diff: hash, diffBytes: 9 },
  ...{ record: hash, signature: "s".repeat(86) as never },
};

/** A follower of a journal, and what it did with it. `refuses` names what of a record cannot be had. */
function followerOf(journal: readonly DurableEvent[], refuses: { text?: boolean; version?: boolean } = {}) {
  const done: string[] = [];
  const projections = {
    ...{ applied: 1, state: {} as never, needs: 0, placesOf: () => [] },
    apply: (_: unknown, event: Recordable) => {
      done.push(`apply ${event.type}`);
      projections.applied += 1;
      const effects = [{ type: "announce", event: { type: "state", state: "paused" } } as const];
      return { state: {} as never, effects, ended: [], entries: [] };
    },
  };
  const follower = new Follower({
    store: {
      async *records(from = 0) {
        for (const [sequence, event] of journal.entries()) {
          const record = concat(...joinRecord(encodeEvent(event)));
          if (sequence >= from) yield { sequence, record };
        }
      },
    },
    projections,
    rules: () => ({}) as never,
    versions: {
      async prepareFollowed({ version }) {
        if (refuses.version) throw new StoreError("it is gone");
        done.push(`prepare ${version}`);
      },
      advance: () => void done.push("advance"),
    },
    index: { add: () => void done.push("index") },
    listeners: { announce: ({ type }) => void done.push(`announce ${type}`) },
    observe: undefined,
    requireText() {
      if (refuses.text) throw new StoreError("its text is not in the directory");
    },
    textAdded: () => void done.push("text"),
  });
  return { follower, done, refuses, projections };
}

test("what was recorded since is applied, indexed and announced once", async () => {
  const { follower, done } = followerOf([created, paused, ruled]);
  await follower.follow();
  const each = (type: string) => [`apply ${type}`, "index", "announce state"];
  expect(done).toEqual([...each("state"), ...each("ruled")]);
  await follower.follow();
  expect(done).toHaveLength(6);
});

test("a version is at hand before it is applied, and becomes current after", async () => {
  const { follower, done } = followerOf([created, published]);
  await follower.follow();
  expect(done).toEqual(["prepare 1", "apply published", "index", "advance", "announce state"]);
});

test("a version that cannot be had is not applied, and is asked for again", async () => {
  const { follower, done, refuses } = followerOf([created, paused, published], { version: true });
  await expect(follower.follow()).rejects.toThrow("it is gone");
  expect(done).not.toContain("apply published");
  refuses.version = false;
  await follower.follow();
  expect(done.filter((one) => one === "apply state")).toHaveLength(1);
  expect(done).toContain("apply published");
});

test("a text is applied once it is in the directory, and counts from then on", async () => {
  const { follower, done, refuses } = followerOf([created, text], { text: true });
  await expect(follower.follow()).rejects.toThrow("not in the directory");
  expect(done).toEqual([]);
  refuses.text = false;
  await follower.follow();
  expect(done).toEqual(["apply text-added", "index", "text", "announce state"]);
});

test("a second run in the journal is refused", async () => {
  const { follower } = followerOf([created, created]);
  await expect(follower.follow()).rejects.toThrow(StoreError);
});
