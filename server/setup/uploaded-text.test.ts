import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Hash } from "../../protocol/ids.ts";
import { UPLOAD_FOLDER } from "../data-dir/directory.ts";
import { type UploadDisk, UploadedText } from "./uploaded-text.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex") as Hash;

let directory: string;
let free: number;
let room: number;
const disk: UploadDisk = {
  free: async () => free,
  async write(file, bytes, offset) {
    const fits = Math.max(0, room - offset);
    await file.write(bytes, 0, Math.min(bytes.length, fits), offset);
    if (bytes.length > fits) throw Object.assign(new Error("full"), { code: "ENOSPC" });
  },
};
const open = (maxBytes?: number) => UploadedText.open(directory, disk, maxBytes);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-upload-"));
  free = room = 1e9;
});
afterEach(() => rm(directory, { recursive: true }));

const TEXT = utf8("Call me Ishmael. Überall — whales 🐳.\n");

describe("an uploaded text", () => {
  it("comes in pieces of any size, cut through characters too, and is checked against its hash", async () => {
    for (let size = 1; size <= TEXT.length; size++) {
      const text = await open();
      await text.begin({ name: "a.txt", bytes: TEXT.length });
      for (let at = 0; at < TEXT.length; at += size) await text.append(at, TEXT.subarray(at, at + size));
      expect((await text.finish(hashOf(TEXT))).sha256).toBe(hashOf(TEXT));
      expect(new Uint8Array(await readFile(text.file))).toEqual(TEXT);
      await text.discard();
    }
    expect(await readdir(directory)).toEqual([]);
  });

  it("O3: is gone on with by another process, from where the file ends", async () => {
    const first = await open();
    await first.begin({ name: "a.md", bytes: TEXT.length });
    await first.append(0, TEXT.subarray(0, 18)); // in the middle of a character
    const second = await open();
    expect(second.upload).toEqual({ name: "a.md", bytes: TEXT.length, received: 18, sha256: null });
    await expect(second.append(0, TEXT)).rejects.toMatchObject({ code: "wrong-offset" });
    expect((await second.begin({ name: "a.md", bytes: TEXT.length })).received).toBe(18);
    await second.append(18, TEXT.subarray(18));
    await second.finish(hashOf(TEXT));
    const third = await open();
    expect(third.upload?.sha256).toBe(hashOf(TEXT));
    expect(new Uint8Array(await readFile(third.file))).toEqual(TEXT);
  });

  it("O3: was killed while it wrote: what is in the file counts, and only that", async () => {
    const first = await open();
    await first.begin({ name: "a.txt", bytes: TEXT.length });
    await first.append(0, TEXT.subarray(0, 8));
    await writeFile(join(directory, UPLOAD_FOLDER, "text.part"), TEXT.subarray(0, 11));
    const second = await open();
    expect(second.upload?.received).toBe(11);
    await second.append(11, TEXT.subarray(11));
    await expect(second.finish(hashOf(TEXT))).resolves.toMatchObject({ sha256: hashOf(TEXT) });
  });

  it("O3: refuses two pieces for one place: of two at once, the second learns where to continue", async () => {
    const text = await open();
    await text.begin({ name: "a.txt", bytes: TEXT.length });
    const [first, second] = await Promise.allSettled([text.append(0, TEXT), text.append(0, TEXT)]);
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({ status: "rejected", reason: { code: "wrong-offset" } });
  });

  it.each([
    ["Latin-1", new Uint8Array([0x61, 0xe4, 0x62]), "byte 1 "],
    ["UTF-32", new Uint8Array([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), "UTF-32LE"],
    ["a character cut off at the very end", TEXT.slice(0, 18), "byte 17 "],
  ])("refuses %s, and says where", async (_, bytes, where) => {
    const text = await open();
    await text.begin({ name: "a.txt", bytes: bytes.length });
    await expect(text.append(0, bytes)).rejects.toMatchObject({
      code: "not-utf8",
      message: expect.stringContaining(where),
    });
    expect(text.upload?.received).toBe(0);
  });

  it("takes UTF-16 piece by piece, with and without a byte order mark, though its later pieces are no UTF-8", async () => {
    for (const mark of ["\ufeff", ""]) {
      const bytes = new Uint8Array(Buffer.from(`${mark}the whale\n${"é".repeat(40)}`, "utf16le"));
      const text = await open();
      await text.begin({ name: "a.txt", bytes: bytes.length });
      await text.append(0, bytes.subarray(0, 31));
      const later = bytes.subarray(31);
      expect(() => new TextDecoder("utf-8", { fatal: true }).decode(later)).toThrow(); // control
      expect((await text.append(31, later)).received).toBe(bytes.length);
      await text.discard();
    }
  });

  it("does not read what is packed: the control of the above", async () => {
    const text = await open();
    await text.begin({ name: "a.txt.gz", bytes: 2 });
    expect((await text.append(0, new Uint8Array([0x1f, 0x8b]))).received).toBe(2);
  });

  it.each([
    ["a.pdf", 3, "unknown-type"],
    ["a.txt", 0, "empty-text"],
    ["a.txt", 11, "too-large"],
  ])("is refused before a byte comes: %s of %i bytes", async (name, bytes, code) => {
    const text = await open(10);
    await expect(text.begin({ name, bytes })).rejects.toMatchObject({ code });
    expect(await readdir(directory)).toEqual([]);
    await expect(text.begin({ name: "a.txt", bytes: 10 })).resolves.toBeDefined();
  });

  it("O3: is refused where the disk could not hold what becomes of it", async () => {
    free = 3 * TEXT.length - 1;
    const text = await open();
    await expect(text.begin({ name: "a.txt", bytes: TEXT.length })).rejects.toMatchObject({
      code: "no-space",
    });
    free++;
    await expect(text.begin({ name: "a.txt", bytes: TEXT.length })).resolves.toBeDefined();
  });

  it("keeps what it has when the disk fills up, and goes on when there is space", async () => {
    const text = await open();
    await text.begin({ name: "a.txt", bytes: TEXT.length });
    await text.append(0, TEXT.subarray(0, 8));
    room = 12;
    await expect(text.append(8, TEXT.subarray(8))).rejects.toMatchObject({ code: "no-space" });
    expect(text.upload?.received).toBe(8);
    expect((await open()).upload?.received).toBe(8);
    room = 1e9;
    await text.append(8, TEXT.subarray(8));
    await expect(text.finish(hashOf(TEXT))).resolves.toBeDefined();
  });

  it("O3, O4: takes no more than was said, no other beside it, and no end before its end", async () => {
    const text = await open();
    await expect(text.append(0, TEXT)).rejects.toMatchObject({ code: "not-ready" });
    await text.begin({ name: "a.txt", bytes: 3 });
    await expect(text.append(0, TEXT)).rejects.toMatchObject({ code: "too-large" });
    await expect(text.begin({ name: "b.txt", bytes: 3 })).rejects.toMatchObject({ code: "upload-exists" });
    await expect(text.finish(hashOf(TEXT))).rejects.toMatchObject({ code: "not-ready" });
    expect(() => text.file).toThrow(/not all here/);
  });

  it("O4: starts again when it is not what was sent", async () => {
    const text = await open();
    await text.begin({ name: "a.txt", bytes: 3 });
    await text.append(0, utf8("abc"));
    await expect(text.finish(hashOf(utf8("abd")))).rejects.toMatchObject({ code: "wrong-hash" });
    expect(text.upload).toBeUndefined();
    expect((await text.begin({ name: "a.txt", bytes: 3 })).received).toBe(0);
  });
});
