import { afterEach, expect, test, vi } from "vitest";
import { loadKernels } from "./kernels.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("WebAssembly that never compiles is given up, as a device that is not there", async () => {
  vi.useFakeTimers();
  const asked = Promise.withResolvers<void>();
  vi.spyOn(WebAssembly, "instantiate").mockImplementation(() => {
    asked.resolve();
    return new Promise<never>(() => {});
  });
  const loading = loadKernels(false);
  const refused = expect(loading).rejects.toMatchObject({ code: "device-unavailable" });
  await asked.promise;
  await vi.advanceTimersByTimeAsync(15_000);
  await refused;
});

test("the control: one that compiles is waited for", async () => {
  expect((await loadKernels(false)).memory).toBeInstanceOf(WebAssembly.Memory);
});
