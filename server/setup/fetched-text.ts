import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { messageOf } from "../../model/lib/message-of.ts";
import { systemCode } from "../../model/lib/system-code.ts";
import { asText, parseJson } from "../../protocol/guards.ts";
import { CorpusFailed } from "../corpus/corpus-thread.ts";
import { isFull } from "../corpus/error.ts";
import { TEXT_TYPE, TEXT_TYPES } from "../corpus/text-types.ts";
import { allowedAddress, isPublic, type Resolve, resolveName } from "../net/public-address.ts";

/** Where in a data directory a text lies that is being fetched. */
const FOLDER = ".fetching";
const HEAD = "fetch.json";
const PART = "text.part";

/** Redirects that are followed; each leads to an address that is looked at as the first was. */
const MAX_REDIRECTS = 5;
/** Times a fetch goes on that was cut short. */
const MAX_TRIES = 5;
/** Milliseconds without a byte after which a connection is given up, and of the whole fetch. */
const IDLE_MS = 30_000;
const MAX_FETCH_MS = 2 * 60 * 60 * 1_000;

export interface FetchOptions {
  readonly directory: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number | undefined) => void;
  readonly resolve?: Resolve;
  readonly isAllowed?: (address: string) => boolean;
  readonly idleMs?: number;
  readonly maxMs?: number;
}

/** A text that was fetched: its file, and the name it had where it came from. */
export interface FetchedText {
  readonly file: string;
  readonly name: string;
}

/** Bytes that are here of an earlier try, and what they are of. */
interface Before {
  readonly received: number;
  readonly tag: string | undefined;
}

/**
 * Fetches a text from an address that an operator named, into the data directory. Connects to public addresses alone,
 * wherever names and redirects lead, and takes no more bytes and no more time than it may. One that is cut short goes
 * on where it was, then or when it is asked for again. Rejects with a {@link CorpusFailed}: `bad-url`,
 * `private-address`, `unknown-type`, `too-large`, `not-fetched`, `no-space`.
 */
export async function fetchText(address: string, options: FetchOptions): Promise<FetchedText> {
  const url = urlOf(address);
  const name = nameOf(url);
  const folder = join(options.directory, FOLDER);
  const { maxMs = MAX_FETCH_MS } = options;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(maxMs)]);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await keptUrl(folder)) !== url.href) await clear(folder);
  for (let tries = 1; ; tries++) {
    try {
      await fetchRest(url, folder, { ...options, signal });
      break;
    } catch (error) {
      options.signal.throwIfAborted();
      if (signal.aborted)
        throw new CorpusFailed("not-fetched", `${name} took longer than ${maxMs / 60_000} min`);
      if (error instanceof CorpusFailed) throw error;
      if (isFull(error)) throw new CorpusFailed("no-space", "the disk is full; what has been received stays");
      if (tries === MAX_TRIES) throw new CorpusFailed("not-fetched", `${url.host}: ${reasonOf(error)}`);
    }
  }
  const file = join(folder, `text${TEXT_TYPE.exec(name)?.[0].toLowerCase()}`);
  await rename(join(folder, PART), file);
  return { file, name };
}

/** Removes what was fetched. */
export const discardFetched = (directory: string): Promise<void> =>
  rm(join(directory, FOLDER), { recursive: true, force: true });

function urlOf(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new CorpusFailed("bad-url", "an address begins with https:// or http://");
  }
  if (url.username !== "" || url.password !== "") {
    throw new CorpusFailed(
      "bad-url",
      "an address with a name or a password is not fetched: it would be logged",
    );
  }
  url.hash = "";
  return url;
}

function nameOf({ pathname, host }: URL): string {
  const last = pathname.split("/").at(-1) ?? "";
  if (TEXT_TYPE.test(last)) return last.slice(-200);
  throw new CorpusFailed(
    "unknown-type",
    `the address's file is ${host}…/${last.slice(0, 100)}: ${TEXT_TYPES}`,
  );
}

async function keptUrl(folder: string): Promise<string | undefined> {
  return readHead(folder).then(
    ({ url }) => url,
    () => undefined,
  );
}

async function readHead(folder: string): Promise<{ url: string; tag: string | undefined }> {
  const json = parseJson(await readFile(join(folder, HEAD)));
  const tag = json.tag === undefined ? undefined : asText(json.tag, "tag", 1_000);
  return { url: asText(json.url, "url", 10_000), tag };
}

async function clear(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
}

async function beforeIn(folder: string): Promise<Before> {
  try {
    const { tag } = await readHead(folder);
    // Without a tag the server cannot be asked whether the file is still the same.
    if (tag === undefined) return { received: 0, tag };
    return { received: (await stat(join(folder, PART))).size, tag };
  } catch {
    return { received: 0, tag: undefined };
  }
}

async function fetchRest(url: URL, folder: string, options: FetchOptions): Promise<void> {
  const { maxBytes, onProgress } = options;
  const before = await beforeIn(folder);
  const answer = await answerOf(url, before, options);
  const body = bodyOf(answer);
  try {
    const goesOn = answer.statusCode === 206 && rangeBegin(answer) === before.received;
    if (answer.statusCode === 416) await clear(folder); // it became shorter: the next try begins from nothing
    if (answer.statusCode !== 200 && !goesOn) {
      const error = new CorpusFailed("not-fetched", `${url.host} answered ${answer.statusCode}`);
      if (answer.statusCode === 416) throw new Error(error.message);
      throw error;
    }
    if ((answer.headers["content-encoding"] ?? "identity") !== "identity") {
      throw new CorpusFailed("not-fetched", `${url.host} packs what it was asked to send as it is`);
    }
    let received = goesOn ? before.received : 0;
    const length = answer.headers["content-length"];
    const total = length === undefined ? undefined : received + Number(length);
    if (total !== undefined && !(total <= maxBytes)) throw tooLarge(maxBytes);
    const tag = answer.headers.etag ?? answer.headers["last-modified"];
    const strong = tag?.startsWith("W/") ? undefined : tag?.slice(0, 1_000);
    await writeFile(join(folder, HEAD), `${JSON.stringify({ url: url.href, tag: strong })}\n`);
    const file = await open(join(folder, PART), goesOn ? "a" : "w");
    try {
      for await (const chunk of body) {
        received += chunk.length;
        if (received > maxBytes) throw tooLarge(maxBytes);
        await file.appendFile(chunk);
        onProgress(received, total);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (!answer.complete || (total !== undefined && received !== total))
      throw new Error("the connection ended early");
    if (received === 0) throw new CorpusFailed("empty", `${url.host} sent nothing`);
  } finally {
    answer.destroy();
  }
}

/** The bytes of an answer, those too that came just before it was cut off. */
function bodyOf(answer: IncomingMessage): AsyncIterable<Uint8Array> {
  const body = new PassThrough();
  answer.on("error", () => {}); // an answer that ends early is not complete
  answer.on("close", () => body.end());
  return answer.pipe(body);
}

const tooLarge = (most: number) => new CorpusFailed("too-large", `a text may have ${most} bytes here`);

/** Where a part begins; undefined where the answer does not say. */
function rangeBegin({ headers }: IncomingMessage): number | undefined {
  const begin = /^bytes (\d+)-/.exec(headers["content-range"] ?? "")?.[1];
  return begin === undefined ? undefined : Number(begin);
}

/** The answer behind all redirects. */
async function answerOf(first: URL, before: Before, options: FetchOptions): Promise<IncomingMessage> {
  let url = first;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const answer = await ask(url, before, options);
    const { location } = answer.headers;
    const status = answer.statusCode ?? 0;
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return answer;
    answer.destroy();
    if (!URL.canParse(location, url.href))
      throw new CorpusFailed("bad-url", `${url.host} leads to no address`);
    const next = urlOf(new URL(location, url.href).href);
    if (url.protocol === "https:" && next.protocol === "http:") {
      throw new CorpusFailed("bad-url", `${url.host} leads from https to http`);
    }
    url = next;
  }
  throw new CorpusFailed("not-fetched", `${first.host} leads on and on`);
}

/** Asks the very address that was looked at: a name that changes its mind meanwhile leads nowhere else. */
async function ask(url: URL, { received, tag }: Before, options: FetchOptions): Promise<IncomingMessage> {
  const { resolve = resolveName, isAllowed = isPublic, idleMs = IDLE_MS, signal } = options;
  const found = await allowedAddress(url.hostname, resolve, isAllowed);
  if (found === undefined) {
    throw new CorpusFailed("private-address", `${url.hostname} is not an address of the public internet`);
  }
  const request = url.protocol === "https:" ? secureRequest : plainRequest;
  const { promise, resolve: answered, reject } = Promise.withResolvers<IncomingMessage>();
  const going = request(url, {
    signal,
    agent: false,
    lookup: (_host, { all }, done) => (all ? done(null, [found]) : done(null, found.address, found.family)),
    headers: {
      "accept-encoding": "identity",
      ...(received > 0 && { range: `bytes=${received}-`, "if-range": tag }),
    },
  });
  going.setTimeout(idleMs, () => going.destroy(new Error(`it said nothing for ${idleMs / 1_000} s`)));
  going.on("response", answered);
  going.on("error", reject);
  going.end();
  return promise;
}

const reasonOf = (error: unknown): string => systemCode(error) ?? messageOf(error);
