import { signal } from "@preact/signals";
import { expect, it, vi } from "vitest";
import { MANIFEST } from "../../../test/fake-service.ts";
import { DEFAULT_CHOICES } from "./choices.ts";
import { createSharing } from "./sharing.ts";

function setUp() {
  const agreed = signal(true);
  const alive = signal(true);
  const choices = signal(DEFAULT_CHOICES);
  const manifest = signal<typeof MANIFEST | undefined>({ ...MANIFEST, peers: { ice: [] } });
  const connect = vi.fn();
  const close = vi.fn();
  const port = new MessageChannel().port2;
  const open = vi.fn(async () => ({ hub: { connected: 2 }, port, close }));
  const state = createSharing({ alive, manifest, connect }, { agreed, choices }, "http://here", open);
  return { agreed, alive, choices, manifest, connect, close, port, open, state };
}
const soon = () => new Promise((resolve) => setImmediate(resolve));

it("loads and contacts nothing before the visitor agrees to sharing itself", async () => {
  const { choices, open, connect, port, state } = setUp();
  await soon();
  expect(open).not.toHaveBeenCalled();
  expect(state.value).toBeUndefined();
  choices.value = { ...choices.value, withPeers: true }; // the control
  await soon();
  expect(open).toHaveBeenCalledTimes(1);
  expect(connect).toHaveBeenLastCalledWith(port);
  expect(state.value).toEqual({ connected: 2, down: 0, up: 0 });
});

it("ends at once when the visitor changes their mind, or the trainer ends", async () => {
  const { choices, alive, close, connect, state, open } = setUp();
  choices.value = { ...choices.value, withPeers: true };
  await soon();
  choices.value = { ...choices.value, withPeers: false };
  expect(close).toHaveBeenCalledTimes(1);
  expect(connect).toHaveBeenLastCalledWith(undefined);
  expect(state.value).toBeUndefined();
  choices.value = { ...choices.value, withPeers: true };
  await soon();
  alive.value = false;
  expect(close).toHaveBeenCalledTimes(2);
  choices.value = { ...choices.value, share: 0.3 };
  await soon();
  expect(open).toHaveBeenCalledTimes(2);
});

it("is not for a run that does without, whatever was agreed to", async () => {
  const { choices, manifest, open } = setUp();
  manifest.value = MANIFEST;
  choices.value = { ...choices.value, withPeers: true };
  await soon();
  expect(open).not.toHaveBeenCalled();
});

it("tells the trainer to go on alone when the code for it cannot be had, and the page that it is missing", async () => {
  const { choices, open, connect, port, state } = setUp();
  open.mockRejectedValueOnce(new Error("off line"));
  choices.value = { ...choices.value, withPeers: true };
  await soon();
  expect(connect).toHaveBeenLastCalledWith(undefined);
  expect(state.value).toBe("missing");
  // Asked for again, it comes.
  choices.value = { ...choices.value, withPeers: false };
  expect(state.value).toBeUndefined();
  choices.value = { ...choices.value, withPeers: true };
  await soon();
  expect(connect).toHaveBeenLastCalledWith(port);
});
