import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { FakeBucket } from "../../test/harness/fake-bucket.ts";
import { bucketTarget } from "./bucket-target.ts";
import { openTarget } from "./open.ts";
import { MirrorError, type MirrorTarget } from "./target.ts";

const HEADERS = { "content-type": "application/octet-stream", "cache-control": "public, immutable" };
const ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "secret/+",
  AWS_REGION: "eu-central-1",
  AWS_ENDPOINT_URL_S3: "https://s3.example",
};

async function holds(target: MirrorTarget): Promise<void> {
  expect(await target.read("api/diffs/1-a")).toBeUndefined();
  await target.write("api/diffs/1-a", utf8("one"), HEADERS);
  await target.write("api/chunks/diffs/1", utf8("list"), HEADERS);
  await target.write("api/diffs/1-a", utf8("two"), HEADERS);
  expect(await target.read("api/diffs/1-a")).toEqual(utf8("two"));
  await target.remove("api/diffs/1-a");
  await target.remove("api/diffs/1-a");
  expect(await target.read("api/diffs/1-a")).toBeUndefined();
  expect(await target.read("api/chunks/diffs/1")).toEqual(utf8("list"));
}

describe("a directory", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "murmuration-mirror-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  test("is made where it is missing, and holds files under the server's own paths", async () => {
    const target = await openTarget(join(directory, "new/place"), {});
    await holds(target);
    expect(await readFile(join(directory, "new/place/api/chunks/diffs/1"), "utf8")).toBe("list");
  });

  test("that holds other files is refused, and one that is a mirror already is not", async () => {
    await writeFile(join(directory, "index.html"), "hello");
    await expect(openTarget(directory, {})).rejects.toThrow(/holds other files/);
    await writeFile(join(directory, "murmuration.json"), "{}");
    await openTarget(directory, {});
  });
});

describe("a bucket", () => {
  const service = () => new FakeBucket("models", { AKIDEXAMPLE: "secret/+" });

  test("takes signed requests, with headers that its readers get", async () => {
    const bucket = service();
    await holds(bucketTarget("s3://models/run one/".replace(" ", "-"), ENVIRONMENT, bucket.fetch));
    const list = bucket.files.get("run-one/api/chunks/diffs/1");
    expect(list?.headers.get("cache-control")).toBe("public, immutable");
    expect(list?.headers.get("content-type")).toBe("application/octet-stream");
  });

  test.each([
    ["another secret", { AWS_SECRET_ACCESS_KEY: "wrong" }, /403.*SignatureDoesNotMatch/],
    ["an unknown key", { AWS_ACCESS_KEY_ID: "AKIDOTHER" }, /403.*InvalidAccessKeyId/],
  ])("with %s refuses in one line", async (_, wrong, line) => {
    const target = bucketTarget("s3://models", { ...ENVIRONMENT, ...wrong }, service().fetch);
    await expect(target.read("murmuration.json")).rejects.toThrow(line);
    await expect(target.write("api/x", utf8("x"), HEADERS)).rejects.toThrow(line);
  });

  test("checks body and clock: the control of the fake that it is written against", async () => {
    const bucket = service();
    const late = new FakeBucket("models", { AKIDEXAMPLE: "secret/+" }, () => Date.now() + 24 * 3_600_000);
    const changed = async (request: Request | string | URL) =>
      bucket.fetch(new Request(new Request(request), { method: "PUT", body: "other bytes" }));
    const through = (fetch: typeof globalThis.fetch) => bucketTarget("s3://models", ENVIRONMENT, fetch);
    await expect(through(changed).write("a", utf8("x"), HEADERS)).rejects.toThrow(
      /XAmzContentSHA256Mismatch/,
    );
    await expect(through(late.fetch).write("a", utf8("x"), HEADERS)).rejects.toThrow(/RequestTimeTooSkewed/);
    expect((await bucket.fetch("https://s3.example/models/a")).status).toBe(403);
    expect(bucket.files.size).toBe(0);
  });

  test("that does not exist is reported on the first write", async () => {
    const target = bucketTarget("s3://others", ENVIRONMENT, service().fetch);
    await expect(target.write("a", utf8("x"), HEADERS)).rejects.toThrow(/no such bucket/);
  });

  test.each([
    ["s3://", ENVIRONMENT, /names no bucket/],
    ["s3://A_B/x", ENVIRONMENT, /names no bucket/],
    ["s3://models", {}, /AWS_ACCESS_KEY_ID/],
    ["s3://models", { ...ENVIRONMENT, AWS_ENDPOINT_URL_S3: "s3.example" }, /no http\(s\) address/],
  ])("named %s is refused before anything is sent", (address, environment, line) => {
    expect(() => bucketTarget(address, environment)).toThrow(MirrorError);
    expect(() => bucketTarget(address, environment)).toThrow(line);
  });
});
