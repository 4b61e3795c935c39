import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { parseTextState, type TextState } from "../../protocol/added-text.ts";
import { utf8 } from "../../protocol/bytes.ts";
import { asObject } from "../../protocol/guards.ts";
import { OPERATOR_HEADER, OPERATOR_ROUTES } from "../../protocol/operator.ts";
import { SETUP_ROUTES } from "../../protocol/setup.ts";
import { prose } from "../../test/corpus-fixture.ts";
import { edge } from "../../test/edge.ts";
import { silentLog, until } from "../../test/harness/tiny-run.ts";
import { type OpenDirectory, openDirectory } from "../app/open-directory.ts";
import { verifyDirectory } from "../cli/verify.ts";
import { addCorpus } from "../corpus/add.ts";
import { AuditLog } from "../operator/audit-log.ts";
import { issueLink, redeemLink } from "../operator/link.ts";
import type { OperatorPort } from "../operator/ports.ts";
import { parseSettings } from "../run/settings.ts";
import { TextService } from "./text-service.ts";
import { type UploadDisk, UploadedText } from "./uploaded-text.ts";

/** A run that is served, as its operator's browser reaches it. */
let directory: string;
let opened: OpenDirectory;
let service: TextService;
let app: ReturnType<typeof edge>;
let cookie = "";

const data = () => join(directory, "data");
const disk: UploadDisk = {
  free: async () => 1e9,
  write: async (file, bytes, offset) => void (await file.write(bytes, 0, bytes.length, offset)),
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-text-"));
  await writeFile(join(directory, "a.txt"), prose(20_000));
  await addCorpus({ files: [join(directory, "a.txt")], dataDir: data(), vocabulary: 256, context: 16 });
  const settings = parseSettings({
    model: { layers: 1, heads: 1, width: 8, context: 16 },
    ...{
      batch: 1,
      rounds: { seconds: 0.1, batch: 1 },
      steps: 1,
      evaluateWindows: 1,
      trust: { auditShare: 0 },
    },
  });
  opened = await openDirectory(data(), { settings, log: silentLog, stderr: { write() {} } });
  const run = opened.run ?? expect.fail("there is no run");
  service = await TextService.open({
    ...{ directory: data(), run, disk, errors: silentLog, wallClock: Date.now, take: opened.takeText },
    text: await UploadedText.open(data(), disk),
    log: await AuditLog.open(data()),
  });
  const operator = {
    redeem: (link: string) => redeemLink(data(), link, Date.now()),
  } as unknown as OperatorPort;
  app = edge(run, { operator, text: service });
  const link = await issueLink(data(), "Ann", Date.now());
  cookie = (await post(OPERATOR_ROUTES.signIn, { link })).headers.get("set-cookie")?.split(";")[0] ?? "";
});
afterAll(async () => {
  await service.close();
  await opened.close();
  await rm(directory, { recursive: true });
});

const send = (path: string, body: string | Uint8Array<ArrayBuffer>, type: string) =>
  app.request(path, {
    method: "POST",
    body,
    headers: { origin: "http://localhost", "content-type": type, [OPERATOR_HEADER]: "1", cookie },
  });
const post = (path: string, body: unknown) => send(path, JSON.stringify(body), "application/json");
const codeOf = async (response: Response): Promise<string> => (await response.json()).error.code;
const state = async (): Promise<TextState> => {
  const answer = await app.request(SETUP_ROUTES.state, { headers: { cookie } });
  return parseTextState(asObject(await answer.json(), "state"));
};
const ORDER = { from: "upload", weight: 2, duplicates: "drop" };
const settled = () =>
  vi.waitFor(async () => {
    const now = await state();
    if (now.work !== null) throw new Error("still at work");
    return now;
  }, 20_000);

async function upload(text: Uint8Array<ArrayBuffer>, name: string): Promise<void> {
  await post(SETUP_ROUTES.text, { name, bytes: text.length });
  await send(SETUP_ROUTES.chunk(0), text, "application/octet-stream");
  const sha256 = createHash("sha256").update(text).digest("hex");
  expect((await post(SETUP_ROUTES.finish, { sha256 })).status).toBe(200);
}

it("O8: a text that an operator uploads comes into the run while it is served, and is noted", async () => {
  expect((await state()).texts).toEqual([]);
  await upload(utf8(prose(20_000, 2)), "second.txt");
  expect((await post(SETUP_ROUTES.add, ORDER)).status).toBe(200);
  expect(await codeOf(await post(SETUP_ROUTES.add, ORDER))).toBe("not-ready");
  const { failed, texts, upload: left } = await settled();
  expect(failed).toBeNull();
  expect(left).toBeNull();
  expect(texts).toMatchObject([{ name: "second.txt", duplicates: 0 }]);
  await until(() => opened.run?.status().added?.texts === 1);
  expect((await state()).texts[0]?.waits).toBe(false);
  expect((await AuditLog.open(data())).entries[0]).toMatchObject({
    who: "Ann",
    action: 'add text "second.txt", weight 2',
  });
  expect((await verifyDirectory(data())).version).toBe(0);
});

it("O8: says why a text cannot come in, and the run has what it had", async () => {
  await upload(utf8("much too short"), "short.txt");
  await post(SETUP_ROUTES.add, ORDER);
  const { failed, texts } = await settled();
  expect(failed?.code).toBe("too-short");
  expect(texts).toHaveLength(1);
  expect((await post(SETUP_ROUTES.discard, {})).status).toBe(200);
  expect(await codeOf(await post(SETUP_ROUTES.add, ORDER))).toBe("not-ready");
});

it.each([
  { from: "elsewhere" },
  { from: { url: 7 } },
  { weight: 0 },
  { weight: 1e9 },
  { weight: "2" },
  { duplicates: "maybe" },
])("O8: refuses an order of %o", async (change) => {
  expect(await codeOf(await post(SETUP_ROUTES.add, { ...ORDER, ...change }))).toBe("bad-request");
});

it("O1: strangers reach none of it", async () => {
  for (const path of [SETUP_ROUTES.add, SETUP_ROUTES.text, SETUP_ROUTES.discard]) {
    const headers = {
      origin: "http://localhost",
      "content-type": "application/json",
      [OPERATOR_HEADER]: "1",
    };
    const answer = await app.request(path, { method: "POST", body: "{}", headers });
    expect(await codeOf(answer)).toBe("not-signed-in");
  }
  expect(await codeOf(await app.request(SETUP_ROUTES.state))).toBe("not-signed-in");
});
