import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { createIdentity } from "../../protocol/identity.ts";
import type { ServerNonce } from "../../protocol/ids.ts";
import { OPERATOR_HEADER, OPERATOR_ROUTES } from "../../protocol/operator.ts";
import { verifyReceipt } from "../../protocol/receipt.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { drawNonce, signedPost } from "../../test/edge.ts";
import { askHost } from "../../test/harness/ask-host.ts";
import { HttpVolunteer, smallDelta } from "../../test/harness/http-volunteer.ts";
import {
  codeOf,
  DOMAIN,
  endMany,
  folder,
  lobby,
  overall,
  pairs,
  refusalOf,
  runs,
  serveMany,
  server,
  type Way,
  ways,
} from "../../test/harness/many-runs.ts";
import { Volunteer } from "../../test/independent/volunteer.js";
import { issueLink } from "../operator/link.ts";

beforeAll(serveMany, 120_000);
afterAll(endMany);

describe("a server of several runs", () => {
  it("serves each at its path and at its host name, with its own key and run", async () => {
    const manifests = await Promise.all(ways.map((way) => way.manifest()));
    expect(manifests.map(({ path }) => path)).toEqual(["/r/whales", undefined, "/r/squids", undefined]);
    expect(manifests[0]).toEqual({ ...manifests[1], path: "/r/whales" });
    expect(new Set(manifests.map(({ run }) => run)).size).toBe(2);
    expect(new Set(manifests.map(({ server: key }) => key)).size).toBe(2);
    for (const way of ways) {
      const volunteer = await way.volunteer();
      const { parameters, server: key } = await way.manifest();
      expect(await verifyReceipt(key, await volunteer.contribute(parameters, 1)), way.label).toBe(true);
    }
  });

  it("S5: is signed for with the run's path behind the origin, and not by a client that is elsewhere", async () => {
    const [whales] = ways;
    const elsewhere = await HttpVolunteer.create(whales!.ask, `https://${DOMAIN}`);
    await expect(elsewhere.ticket()).rejects.toThrow("an answer for /r/whales at https://train.example");
    const me = await createIdentity();
    const from = async (origin: string) => {
      const to = { ...(await whales!.recipient()), origin };
      return codeOf(
        whales!.ask(ROUTES.tickets, await signedPost(me, ROUTES.tickets, utf8("{}"), drawNonce(), to)),
      );
    };
    expect(await from(`https://${DOMAIN}/r/whales`)).toBe("taken");
    for (const path of ["", "/r/squids", "/r/no-such-run"])
      expect(await from(`https://${DOMAIN}${path}`)).toBe("other-origin");
    for (const path of ["/r/Whales", "/r/whales/", "/whales", "/r/"]) {
      expect(await from(`https://${DOMAIN}${path}`), path).toBe("bad-signature");
    }
    // The host names belong to one run each.
    expect(await from(`https://whales.${DOMAIN}`)).toBe("taken");
    expect(await from(`https://squids.${DOMAIN}`)).toBe("other-origin");
  });

  it("S5: gives work to a volunteer that was written from the protocol alone", async () => {
    const url = `http://127.0.0.1:${server.port}/r/squids/`;
    const volunteer = new Volunteer({ url, log: () => {}, sleep: async () => {} });
    await volunteer.join();
    await volunteer.round();
    expect(volunteer.totals.receipts).toBe(1);
  });

  it("leads to the run's path with its slash, wherever a proxy has it", async () => {
    const led = await lobby("/r/whales?x=1");
    expect([led.status, led.headers.get("location")]).toEqual([308, "whales/?x=1"]);
  });

  it("has nothing at names that are no run's, in any spelling", async () => {
    const paths = [
      "nosuch",
      "..",
      "%2e%2e",
      "Whales",
      "whales%2f",
      "%77hales",
      "whales/r/squids",
      "zz-copy",
      "",
    ];
    for (const path of paths) expect((await lobby(`/r/${path}/api/manifest`)).status, path).toBe(404);
    for (const path of ["//r/whales/api/manifest", "/r//whales/api/manifest", "/r/whales//api/manifest"]) {
      expect((await lobby(path)).status, path).toBe(404);
    }
    for (const host of [`nosuch.${DOMAIN}`, `a.whales.${DOMAIN}`, `.${DOMAIN}`]) {
      expect(await codeOf(askHost(server.port, host, "/api/runs")), host).toBe("not-found");
    }
    // At a run's own host name there is no way to another.
    expect((await ways[1]!.send("/r/squids/api/manifest")).status).toBe(404);
    expect((await lobby("/api/runs")).status).toBe(200); // the control: so the server answers at all
  });

  it("M4: lists the runs that are made, each as its own status says it", async () => {
    const { runs: listed } = await (await lobby("/api/runs")).json();
    expect(listed.map(({ id }: { id: string }) => id)).toEqual(["squids", "whales"]);
    const status = await (await ways[0]!.ask("/api/run")).json();
    const { name, operator, card, state, parameters, tokenBudget, bytesPerToken } = status;
    expect(listed[1]).toMatchObject({ name, operator, card, state, parameters, tokenBudget, bytesPerToken });
    expect(listed[1]).toMatchObject({ path: "/r/whales", host: `whales.${DOMAIN}`, oneMore: null });
    expect(listed[1].bytes).toMatchObject({ first: 4 * parameters });
  });

  it("names the runs that do not open, and serves the others", () => {
    expect(runs.open.map(({ name, run }) => [name, run !== undefined])).toEqual([
      ["not-made", false],
      ["squids", true],
      ["whales", true],
    ]);
    expect([...runs.failed.keys()].sort()).toEqual(["Not a name", "damaged", "foreign", "locked", "zz-copy"]);
    expect(runs.failed.get("Not a name")).toMatch(/is no name for a run/);
    expect(runs.failed.get("foreign")).toMatch(/holds other files/);
    expect(runs.failed.get("damaged")).toMatch(/corpus\.json/);
    expect(runs.failed.get("locked")).toMatch(/another server uses/);
    expect(runs.failed.get("zz-copy")).toMatch(/copy of the run whales/);
  });

  it("opens a run that could not be opened once that is put right", async () => {
    await runs.openOne("locked");
    expect(runs.failed.has("locked")).toBe(false);
    await runs.closeOne("locked");
  });
});

describe.each(pairs)("what is made for $from.label is not good for $to.label", ({ from, to }) => {
  it("a captured request, whatever is changed in its headers; the control: it is good where it was made for", async () => {
    const me = await createIdentity();
    const there = await to.recipient();
    const init = await signedPost(me, ROUTES.tickets, utf8("{}"), drawNonce(), await from.recipient());
    const sent = (headers: Record<string, string>) =>
      codeOf(to.ask(ROUTES.tickets, { ...init, headers: { ...init.headers, ...headers } }));
    expect(await sent({})).toBe("other-run");
    const run = { "murmuration-run": there.run };
    expect(await sent(run)).toBe("other-origin");
    const origin = { ...run, "murmuration-origin": there.origin };
    expect(await sent(origin)).toBe("server-nonce-expired");
    expect(await sent({ ...origin, "murmuration-server-nonce": there.serverNonce })).toBe("bad-signature");
    expect(await codeOf(from.ask(ROUTES.tickets, init))).toBe("taken");
  });

  it("a server nonce", async () => {
    const me = await createIdentity();
    const [own, theirs] = [await to.recipient(), await from.recipient()];
    const ask = async (serverNonce: ServerNonce) =>
      codeOf(
        to.ask(
          ROUTES.tickets,
          await signedPost(me, ROUTES.tickets, utf8("{}"), drawNonce(), { ...own, serverNonce }),
        ),
      );
    expect(await ask(theirs.serverNonce)).toBe("server-nonce-expired");
    expect(await ask(own.serverNonce)).toBe("taken");
  });

  it("a ticket, its receipt and its proof", async () => {
    const me = await createIdentity();
    const [here, there] = [await from.volunteer(me), await to.volunteer(me)];
    const { parameters, server: key } = await from.manifest();
    const ticket = await here.ticket();
    const frame = smallDelta(parameters, 1, ticket);
    expect(await refusalOf(there.upload(ticket, frame))).toBe("bad-ticket");
    const receipt = await here.upload(ticket, frame);
    expect(await verifyReceipt((await to.manifest()).server, receipt)).toBe(false);
    expect(await verifyReceipt(key, receipt)).toBe(true);
    const proofAt = async (way: Way) => (await (await way.ask(ROUTES.proof(ticket.id))).json()).proof;
    await vi.waitFor(async () => expect(await proofAt(from)).not.toBeNull(), {
      timeout: 20_000,
      interval: 20,
    });
    expect(await proofAt(to)).toBeNull();
  });

  it("an operator's link, session and cookie; those of the operator of all runs are good for each", async () => {
    const link = await issueLink(folder(from.run), "Ann", Date.now());
    const signIn = (way: Way) =>
      way.ask(OPERATOR_ROUTES.signIn, {
        method: "POST",
        headers: {
          origin: `http://${way.host}`,
          [OPERATOR_HEADER]: "1",
          "content-type": "application/json",
        },
        body: JSON.stringify({ link, path: `${way.base}/` }),
      });
    expect(await codeOf(signIn(to))).toBe("not-signed-in");
    const signedIn = await signIn(from);
    expect(signedIn.status).toBe(200);
    const cookie = signedIn.headers.get("set-cookie") ?? "";
    expect(cookie).toContain(`Path=${from.base}/;`);
    const overviewAt = (way: Way, sent: string) =>
      codeOf(way.ask(OPERATOR_ROUTES.overview, { headers: { cookie: sent.split(";", 1)[0]! } }));
    expect(await overviewAt(from, cookie)).toBe("taken");
    expect(await overviewAt(to, cookie)).toBe("not-signed-in");
    const ofAll = `murmuration-operator=${overall.begin({ name: "Zoe" })}`;
    for (const way of [from, to]) expect(await overviewAt(way, ofAll)).toBe("taken");
  });
});
