import { describe, expect, it } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { createIdentity } from "../../protocol/identity.ts";
import type { RunId, ServerNonce } from "../../protocol/ids.ts";
import { type Recipient, SERVER_NONCE_HEADER } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { drawNonce, edge, RECIPIENT, signedPost } from "../../test/edge.ts";
import { FakeService, MANIFEST } from "../../test/fake-service.ts";
import type { AppOptions } from "./app.ts";

const me = await createIdentity();
const NAME = utf8(JSON.stringify({ name: "Ann" }));
const rename = (to: Recipient) => signedPost(me, ROUTES.myName, NAME, drawNonce(), to);
type App = ReturnType<typeof edge>;

const codeOf = async (app: App, init: RequestInit, path: string = ROUTES.myName) => {
  const response = await app.request(path, init);
  return response.ok ? "taken" : (await response.json()).error.code;
};

/** A process that serves a run, with a nonce of its own. */
const start = (changes: Partial<AppOptions> = {}, service = new FakeService()) =>
  edge(service, { drawServerNonce: () => drawNonce() as string as ServerNonce, ...changes });

/** Whom a client takes an app for, as the manifest's answer says it. */
async function recipientOf(app: App, origin = RECIPIENT.origin): Promise<Recipient> {
  const response = await app.request(ROUTES.manifest);
  const serverNonce = response.headers.get(SERVER_NONCE_HEADER) as ServerNonce;
  const { run, server } = await response.json();
  return { run, server, origin, serverNonce };
}

class OtherRun extends FakeService {
  override manifest = () => ({ ...MANIFEST, run: "d".repeat(64) as RunId });
}
class OtherKey extends FakeService {
  override manifest = () => ({ ...MANIFEST, server: me.key });
}

describe("A10: a captured request (S3)", () => {
  it("is taken once by the process that it was made for, whatever its path", async () => {
    const app = start();
    for (const path of [ROUTES.myName, ROUTES.myData, ROUTES.forgetMe, ROUTES.tickets]) {
      const init = await signedPost(me, path, NAME, drawNonce(), await recipientOf(app));
      expect(await codeOf(app, init, path)).toBe("taken");
      expect(await codeOf(app, init, path), path).toBe("nonce-reused");
    }
  });

  it("is refused by the same run after a restart; the control: it is the server's nonce that does it", async () => {
    const app = start();
    const init = await rename(await recipientOf(app));
    expect(await codeOf(app, init)).toBe("taken");
    expect(await codeOf(start(), init)).toBe("server-nonce-expired");
    const known = { drawServerNonce: () => RECIPIENT.serverNonce };
    const forgetful = await rename(RECIPIENT);
    expect(await codeOf(start(known), forgetful)).toBe("taken");
    expect(await codeOf(start(known), forgetful)).toBe("taken"); // a restart that draws the same one forgets
  });

  it("is refused by another run's server and by another server's key, whatever Host it is sent with", async () => {
    const known = { drawServerNonce: () => RECIPIENT.serverNonce };
    const init = await rename(RECIPIENT);
    const forged = { ...init, headers: { ...init.headers, host: "localhost" } };
    expect(await codeOf(start(known, new OtherRun()), forged)).toBe("other-run");
    expect(await codeOf(start(known, new OtherKey()), forged)).toBe("bad-signature");
    const renamed = { ...init, headers: { ...init.headers, "murmuration-run": "d".repeat(64) } };
    expect(await codeOf(start(known, new OtherRun()), renamed)).toBe("bad-signature");
    expect(await codeOf(start(known), forged)).toBe("taken"); // the control
  });

  it("is refused where it was made for an address that the operator did not name", async () => {
    const app = start({ origins: ["https://train.example", "https://train.example:8443"] });
    const from = async (origin: string) => codeOf(app, await rename(await recipientOf(app, origin)));
    for (const origin of ["https://train.example", "https://train.example:8443"]) {
      expect(await from(origin)).toBe("taken");
    }
    const strange = ["https://evil.example", "http://train.example", "https://train.example:444"];
    for (const origin of [...strange, "https://localhost.evil.example", "https://127.0.0.1.evil.example"]) {
      expect(await from(origin), origin).toBe("other-origin");
    }
    // Volunteers on the server's own machine come without the proxy.
    for (const origin of ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"]) {
      expect(await from(origin), origin).toBe("taken");
    }
  });

  it("S5: is refused at another path of the same server, even where both runs have the same id, key and nonce", async () => {
    // As where a run's directory was copied: the path that was signed is all that tells one from the other.
    const known = { drawServerNonce: () => RECIPIENT.serverNonce };
    const at = (name: string) => {
      const place = { path: `/r/${name}`, hostName: `${name}.train.example` };
      return start({ ...known, place });
    };
    const from = (origin: string) => rename({ ...RECIPIENT, origin: `https://${origin}` });
    for (const [origin, others] of [
      ["train.example/r/whales", "train.example/r/squids"],
      ["whales.train.example", "squids.train.example"],
    ] as const) {
      expect(await codeOf(at("squids"), await from(origin)), origin).toBe("other-origin");
      expect(await codeOf(at("whales"), await from(others)), others).toBe("other-origin");
      expect(await codeOf(at("whales"), await from(origin)), origin).toBe("taken");
    }
    for (const origin of [
      "train.example",
      "train.example/r/whales/r/squids",
      "whales.train.example/r/whales/x",
    ]) {
      expect(await codeOf(at("squids"), await from(origin)), origin).not.toBe("taken");
    }
    // The control: without a path, what was captured at one is taken at the other.
    const captured = await from("train.example");
    expect(await codeOf(start(known), captured)).toBe("taken");
    expect(await codeOf(start(known), captured)).toBe("taken");
    expect(await codeOf(start(known), await from("train.example/r/whales"))).toBe("other-origin");
  });

  it("S5: a run's own host name needs no --origin, and another address does", async () => {
    const place = { path: "/r/whales", hostName: "whales.train.example" };
    const app = start({ origins: ["https://train.example"], place });
    const from = async (origin: string) => codeOf(app, await rename(await recipientOf(app, origin)));
    expect(await from("https://train.example/r/whales")).toBe("taken");
    expect(await from("https://whales.train.example")).toBe("taken");
    expect(await from("https://evil.example/r/whales")).toBe("other-origin");
    expect(await from("https://whales.evil.example")).toBe("other-origin");
  });

  it("is taken whatever Host a proxy writes, where no address is named (the control for the list)", async () => {
    const app = start();
    const init = await rename(await recipientOf(app, "https://train.example"));
    expect(await codeOf(app, { ...init, headers: { ...init.headers, host: "127.0.0.1:8080" } })).toBe(
      "taken",
    );
  });
});

describe("S3: the server's nonce", () => {
  it("comes with the manifest and with every answer to a signed request, a refusal too", async () => {
    const app = start();
    const { serverNonce } = await recipientOf(app);
    const late = await app.request(ROUTES.tickets, await rename({ ...RECIPIENT, serverNonce }));
    expect(late.status).toBe(401);
    expect(late.headers.get(SERVER_NONCE_HEADER)).toBe(serverNonce);
    const unsigned = await app.request(ROUTES.deltas, { method: "POST" });
    expect(unsigned.headers.get(SERVER_NONCE_HEADER)).toBe(serverNonce);
    expect((await app.request(ROUTES.run)).headers.get(SERVER_NONCE_HEADER)).toBeNull();
  });

  it("is asked for before a body is read, so that a large one is not sent for nothing", async () => {
    const app = start();
    const init = await signedPost(me, ROUTES.deltas, utf8("x"), drawNonce(), RECIPIENT);
    let read = false;
    const body = new ReadableStream(
      {
        pull(controller) {
          read = true;
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const answer = await app.request(ROUTES.deltas, { ...init, body, duplex: "half" } as RequestInit);
    expect((await answer.json()).error.code).toBe("server-nonce-expired");
    expect(read).toBe(false);
  });
});
