import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { systemCode } from "../../model/lib/system-code.ts";
import { sha256Now } from "../lib/signatures.ts";

/**
 * The built pages, read once at start into a table from URL path to bytes. A request only looks a path up, so
 * no path, however written, reaches a file.
 */
export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256, in hex. */
  readonly tag: string;
  /** The name carries a hash of the content. */
  readonly hashed: boolean;
}

export class Assets {
  readonly #files: ReadonlyMap<string, Asset>;
  readonly #packed = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  constructor(files: readonly Asset[]) {
    this.#files = new Map(files.map((file) => [file.path, file]));
  }

  find(path: string): Asset | undefined {
    return this.#files.get(path);
  }

  get paths(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** The bytes under a content coding, made at the first asking and kept. */
  pack(asset: Asset, coding: Coding): Promise<Uint8Array<ArrayBuffer>> {
    const key = `${coding}${asset.path}`;
    let packed = this.#packed.get(key);
    if (packed === undefined) {
      packed = compress(asset.bytes, coding);
      this.#packed.set(key, packed);
    }
    return packed;
  }
}

export type Coding = "br" | "gzip";

const gzipAsync = promisify(gzip);
const brotliAsync = promisify(brotliCompress);

async function compress(bytes: Uint8Array, coding: Coding): Promise<Uint8Array<ArrayBuffer>> {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9 }; // 11 takes ten times as long for 2% less
  const packed = coding === "br" ? await brotliAsync(bytes, { params }) : await gzipAsync(bytes);
  return new Uint8Array(packed);
}

/** The coding to answer with: brotli where taken, else gzip, else none; only for what compresses. */
export function codingFor(accepts: string | undefined, asset: Asset): Coding | undefined {
  if (accepts === undefined || !COMPRESSIBLE.test(asset.type) || asset.bytes.length < 512) return undefined;
  const taken = accepts
    .split(",")
    .map((one) => one.trim().toLowerCase())
    .filter((one) => !/;\s*q=0(?:\.0*)?$/.test(one))
    .map((one) => one.split(";", 1)[0]);
  return taken.includes("br") ? "br" : taken.includes("gzip") ? "gzip" : undefined;
}

const COMPRESSIBLE = /^(?:text\/|image\/svg|application\/(?:json|wasm|manifest))/;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
  ".gz": "application/gzip",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
};

/**
 * Reads the client's build: `index.html` is `/`, another page `x.html` is `/x`, everything else goes by its
 * own name. A missing directory gives an empty table. Files of a type we do not know are not served.
 */
export async function loadAssets(directory: string): Promise<Assets> {
  const files: Asset[] = [];
  for (const name of await filesUnder(directory, "")) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    files.push(makeAsset(pathOf(name), type, new Uint8Array(await readFile(join(directory, name)))));
  }
  return new Assets(files);
}

export function makeAsset(path: string, type: string, bytes: Uint8Array<ArrayBuffer>): Asset {
  const tag = sha256Now(bytes);
  return { path, type, bytes, tag, hashed: path.startsWith("/assets/") };
}

function pathOf(name: string): string {
  if (name === "index.html") return "/";
  return `/${name.endsWith(".html") ? name.slice(0, -".html".length) : name}`;
}

async function filesUnder(directory: string, below: string): Promise<string[]> {
  let entries: Awaited<ReturnType<typeof readHere>>;
  try {
    entries = await readHere(join(directory, below));
  } catch (error) {
    if (below === "" && systemCode(error) === "ENOENT") return [];
    throw error;
  }
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const name = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) names.push(...(await filesUnder(directory, name)));
    else if (entry.isFile()) names.push(name);
  }
  return names;
}

const readHere = (path: string) => readdir(path, { withFileTypes: true });
