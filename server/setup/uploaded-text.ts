import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { concat } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { asText, parseJson } from "../../protocol/guards.ts";
import { type Hash, isHash } from "../../protocol/ids.ts";
import { parseTextHead, type TextHead, type TextUpload } from "../../protocol/setup.ts";
import { utf32Line } from "../corpus/decode.ts";
import { isFull } from "../corpus/error.ts";
import { TEXT_TYPE, TEXT_TYPES } from "../corpus/text-types.ts";
import { firstBadByte, notUtf8Line } from "../corpus/utf8.ts";
import { UPLOAD_FOLDER } from "../data-dir/directory.ts";
import { DETECTION_BYTES, detectEncoding } from "../lib/encoding.ts";
import { syncFile } from "../lib/sync.ts";

const HEAD = "upload.json";
const PART = "text.part";

/** Bytes of a text sent by the page; `murmuration corpus add` has no such limit. */
const MAX_TEXT_BYTES = 4 * 1024 ** 3;

/** How many times its own size a text needs on disk while its corpus is made: the text, its three splits as text, and the shards. */
const TIMES_ON_DISK = 3;

/** The system, so that a test can let the disk fill up. */
export interface UploadDisk {
  /** Bytes free where the directory lies. */
  free(): Promise<number>;
  write(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void>;
}

/**
 * A text on its way into a data directory, piece by piece. What is here is in a file, whose length says how far it
 * came: a kill at any moment, or a page that is reloaded, loses at most the piece under way. Its own SHA-256 at the
 * end says that it is whole. One call at a time: a second waits.
 */
export class UploadedText {
  readonly #folder: string;
  readonly #disk: UploadDisk;
  readonly maxBytes: number;
  #upload: TextUpload | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(directory: string, disk: UploadDisk, maxBytes: number) {
    this.#folder = join(directory, UPLOAD_FOLDER);
    this.#disk = disk;
    this.maxBytes = maxBytes;
  }

  /** Finds what an earlier process got of one. */
  static async open(directory: string, disk: UploadDisk, maxBytes = MAX_TEXT_BYTES): Promise<UploadedText> {
    const text = new UploadedText(directory, disk, maxBytes);
    text.#upload = await text.#find();
    return text;
  }

  get upload(): TextUpload | undefined {
    return this.#upload;
  }

  /** The whole text's file. Throws `not-ready` before {@link finish}. */
  get file(): string {
    if (this.#upload?.sha256 == null) throw new ProtocolError("not-ready", "the text is not all here yet");
    return join(this.#folder, `text${typeOf(this.#upload.name)}`);
  }

  /**
   * Begins an upload, or goes on with the same one. Throws `unknown-type`, `empty-text`, `too-large`, `no-space`, and
   * `upload-exists` where another is under way.
   */
  begin({ name, bytes }: TextHead): Promise<TextUpload> {
    return this.#alone(async () => {
      if (!TEXT_TYPE.test(name)) {
        throw new ProtocolError("unknown-type", TEXT_TYPES);
      }
      if (bytes === 0) throw new ProtocolError("empty-text", "the file is empty");
      if (bytes > this.maxBytes) {
        throw new ProtocolError("too-large", `a text may have ${this.maxBytes} bytes here`);
      }
      const before = this.#upload;
      if (before !== undefined) {
        if (before.name === name && before.bytes === bytes) return before;
        throw new ProtocolError("upload-exists", `${before.name} is being uploaded: discard it first`);
      }
      if ((await this.#disk.free()) < TIMES_ON_DISK * bytes) {
        throw noSpace(
          `a text of ${bytes} bytes takes ${TIMES_ON_DISK * bytes} on the disk while it is prepared`,
        );
      }
      await rm(this.#folder, { recursive: true, force: true });
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFile(join(this.#folder, PART), "");
      await this.#keepHead({ name, bytes });
      return this.#set({ name, bytes, received: 0, sha256: null });
    });
  }

  /**
   * Adds the bytes from `offset` on. Throws `not-ready` where no upload was begun, `wrong-offset` for any but the
   * next, `too-large` for more than was said, `not-utf8`, and `no-space`; what was received stays.
   */
  append(offset: number, bytes: Uint8Array): Promise<TextUpload> {
    return this.#alone(async () => {
      const upload = this.#upload;
      if (upload === undefined) throw new ProtocolError("not-ready", "no upload was begun");
      if (offset !== upload.received || upload.sha256 !== null) {
        throw new ProtocolError("wrong-offset", `the next byte is ${upload.received}`);
      }
      if (offset + bytes.length > upload.bytes) {
        throw new ProtocolError("too-large", `the file was said to have ${upload.bytes} bytes`);
      }
      const file = await open(join(this.#folder, PART), "r+");
      try {
        if (!packed(upload.name)) await requireText(file, upload, bytes);
        await this.#write(file, offset, bytes);
      } finally {
        await file.close();
      }
      return this.#set({ ...upload, received: offset + bytes.length });
    });
  }

  /**
   * Holds the whole against its sender's SHA-256. Throws `not-ready` while bytes are missing, and `wrong-hash` where
   * they are others: then the upload has to start over.
   */
  finish(sha256: Hash): Promise<TextUpload> {
    return this.#alone(async () => {
      const upload = this.#upload;
      if (upload === undefined || upload.received < upload.bytes) {
        throw new ProtocolError("not-ready", "the text is not all here yet");
      }
      if (upload.sha256 !== null) {
        if (upload.sha256 === sha256) return upload;
        throw wrongHash();
      }
      const part = join(this.#folder, PART);
      await syncFile(part);
      if ((await hashOf(part)) !== sha256) {
        await this.#clear();
        throw wrongHash();
      }
      await this.#keepHead({ ...upload, sha256 });
      await rename(part, join(this.#folder, `text${typeOf(upload.name)}`));
      return this.#set({ ...upload, sha256 });
    });
  }

  /** Removes it. */
  discard(): Promise<void> {
    return this.#alone(() => this.#clear());
  }

  async #clear(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    this.#upload = undefined;
  }

  async #find(): Promise<TextUpload | undefined> {
    try {
      const json = parseJson(await readFile(join(this.#folder, HEAD)));
      const head = parseTextHead(json);
      const sha256 = json.sha256 === undefined ? null : asText(json.sha256, "sha256", 64);
      if (sha256 === null || !isHash(sha256)) {
        const { size } = await stat(join(this.#folder, PART));
        return { ...head, received: Math.min(size, head.bytes), sha256: null };
      }
      // Killed between the two writes of finish(): the part is whole and has only to get its name.
      const whole = join(this.#folder, `text${typeOf(head.name)}`);
      await rename(join(this.#folder, PART), whole).catch(() => {});
      await stat(whole);
      return { ...head, received: head.bytes, sha256 };
    } catch {
      return undefined; // nothing, or nothing that can be gone on with
    }
  }

  /** A piece that did not fit is taken back, so that the file's length stays what was received. */
  async #write(file: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
    await file.truncate(offset);
    try {
      await this.#disk.write(file, bytes, offset);
    } catch (error) {
      await file.truncate(offset).catch(() => {});
      if (isFull(error)) throw noSpace("the disk is full; what has been received stays");
      throw error;
    }
  }

  #keepHead(head: TextHead & { readonly sha256?: Hash }): Promise<void> {
    const { name, bytes, sha256 } = head;
    return writeFile(join(this.#folder, HEAD), `${JSON.stringify({ name, bytes, sha256 })}\n`);
  }

  #set(upload: TextUpload): TextUpload {
    this.#upload = upload;
    return upload;
  }

  #alone<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(task);
    this.#tail = done.catch(() => {}); // the caller gets the error
    return done;
  }
}

const packed = (name: string): boolean => /\.(?:gz|parquet)$/i.test(name);
const typeOf = (name: string): string => (TEXT_TYPE.exec(name)?.[0] ?? ".txt").toLowerCase();
const noSpace = (why: string) => new ProtocolError("no-space", why);
const wrongHash = () =>
  new ProtocolError("wrong-hash", "what arrived is not the file that was sent: send it again");

/** Bytes of a character that may still wait for its last one. */
const UNFINISHED = 3;

/** Refuses what the corpus could not be made from, while only a piece of it is here. */
async function requireText(file: FileHandle, upload: TextUpload, piece: Uint8Array): Promise<void> {
  const head = new Uint8Array(Math.min(DETECTION_BYTES, upload.received));
  if (head.length > 0) await file.read(head, 0, head.length, 0);
  const encoding = detectEncoding(concat(head, piece.subarray(0, DETECTION_BYTES)));
  if (encoding === "utf-16le" || encoding === "utf-16be") return; // decoded, and checked, when the corpus is made
  if (encoding !== "utf-8") throw new ProtocolError("not-utf8", utf32Line(encoding, "the text"));
  const length = Math.min(UNFINISHED, upload.received);
  const before = new Uint8Array(length);
  if (length > 0) await file.read(before, 0, length, upload.received - length);
  const bad = firstBadByte(before, piece, upload.received + piece.length === upload.bytes);
  if (bad === undefined) return;
  const line = notUtf8Line("the text", upload.received + bad, piece.subarray(Math.max(0, bad)));
  throw new ProtocolError("not-utf8", line);
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 256 * 1024 })) hash.update(piece);
  return hash.digest("hex");
}
