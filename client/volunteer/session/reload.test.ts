import { describe, expect, it, vi } from "vitest";
import { forgetReload, reloadOnce } from "./reload.ts";

function tab() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}

describe("V1: a page of another protocol version", () => {
  it("reloads once, and not again", () => {
    const storage = tab();
    const reload = vi.fn();
    expect(reloadOnce(storage, reload)).toBe(true);
    expect(reloadOnce(storage, reload)).toBe(false);
    expect(reload).toHaveBeenCalledOnce();
  });

  it("may reload again after it agreed with the server in between", () => {
    const storage = tab();
    const reload = vi.fn();
    reloadOnce(storage, reload);
    forgetReload(storage);
    expect(reloadOnce(storage, reload)).toBe(true);
  });

  it("does not reload where it cannot remember that it did", () => {
    const reload = vi.fn();
    const denied = {
      getItem: () => null,
      setItem: () => {
        throw new Error("denied");
      },
    };
    expect(reloadOnce(undefined, reload)).toBe(false);
    expect(reloadOnce(denied, reload)).toBe(false);
    expect(reload).not.toHaveBeenCalled();
  });
});
