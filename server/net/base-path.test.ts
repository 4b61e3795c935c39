import { expect, it } from "vitest";
import { edge } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";
import { withoutBase } from "./base-path.ts";
import { listen } from "./listen.ts";

it.each([
  ["/train/api/run?x=/train/", "/api/run?x=/train/"],
  ["/train/", "/"],
  ["/api/run", "/api/run"],
  ["/trains/api/run", "/trains/api/run"],
  ["/train//api/run", "//api/run"],
  ["/train/train/x", "/train/x"],
])("%s is %s to the server", (sent, seen) => {
  expect(withoutBase("/train", sent)).toBe(seen);
});

it("serves under the path and beside it, and leads from the path without a slash to the one with it", async () => {
  const server = await listen(edge(new FakeService(), {}), {
    host: "127.0.0.1",
    port: 0,
    basePath: "/train",
  });
  const ask = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`, { redirect: "manual" });
  try {
    for (const path of ["/train/api/manifest", "/api/manifest", "/train/healthz"]) {
      expect((await ask(path)).status, path).toBe(200);
    }
    for (const path of ["/trains/api/manifest", "/train//api/manifest", "/train/train/api/manifest"]) {
      expect((await ask(path)).status, path).toBe(404);
    }
    const led = await ask("/train?device=wasm");
    expect([led.status, led.headers.get("location")]).toEqual([308, "train/?device=wasm"]);
  } finally {
    await server.close(0);
  }
});
