import { createHash, createHmac } from "node:crypto";

/** Milliseconds that a request's time may be off, as AWS has it. */
const MAX_SKEW_MS = 15 * 60_000;

/**
 * An S3 service in memory that takes only requests it finds rightly signed (AWS Signature Version 4, written from its
 * document), each header and the body included.
 */
export class FakeBucket {
  readonly files = new Map<string, { bytes: Uint8Array<ArrayBuffer>; headers: Headers }>();
  readonly #keys: ReadonlyMap<string, string>;
  readonly #now: () => number;
  readonly #bucket: string;

  constructor(bucket: string, keys: Readonly<Record<string, string>>, now: () => number = Date.now) {
    this.#bucket = bucket;
    this.#keys = new Map(Object.entries(keys));
    this.#now = now;
  }

  fetch = async (input: Request | string | URL): Promise<Response> => {
    const request = new Request(input);
    const body = new Uint8Array(await request.clone().arrayBuffer());
    const refused = this.#whyRefused(request, body);
    if (refused !== undefined) return new Response(`<Error><Code>${refused}</Code></Error>`, { status: 403 });
    const path = decodeURIComponent(new URL(request.url).pathname);
    const [, bucket, ...rest] = path.split("/");
    if (bucket !== this.#bucket)
      return new Response("<Error><Code>NoSuchBucket</Code></Error>", { status: 404 });
    const key = rest.join("/");
    const found = this.files.get(key);
    if (request.method === "PUT") {
      this.files.set(key, { bytes: body, headers: request.headers });
      return new Response();
    }
    if (request.method === "DELETE") {
      this.files.delete(key);
      return new Response(null, { status: 204 });
    }
    return found === undefined
      ? new Response("<Error><Code>NoSuchKey</Code></Error>", { status: 404 })
      : new Response(found.bytes);
  };

  #whyRefused(request: Request, body: Uint8Array): string | undefined {
    const authorization =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([\w-]+)\/s3\/aws4_request, SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})$/.exec(
        request.headers.get("authorization") ?? "",
      );
    if (authorization === null) return "AccessDenied";
    const [, id = "", day = "", region = "", names = "", signature] = authorization;
    const secret = this.#keys.get(id);
    if (secret === undefined) return "InvalidAccessKeyId";
    const date = request.headers.get("x-amz-date") ?? "";
    const at = Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
    if (!date.startsWith(day) || !(Math.abs(at - this.#now()) <= MAX_SKEW_MS)) return "RequestTimeTooSkewed";
    const hash = hex(createHash("sha256").update(body));
    if (request.headers.get("x-amz-content-sha256") !== hash) return "XAmzContentSHA256Mismatch";
    const signed = names.split(";");
    if (!["host", "x-amz-content-sha256", "x-amz-date"].every((name) => signed.includes(name)))
      return "AccessDenied";
    const url = new URL(request.url);
    const headers = signed.map(
      (name) => `${name}:${name === "host" ? url.host : request.headers.get(name)?.trim()}\n`,
    );
    const canonical = [request.method, url.pathname, url.search.slice(1), headers.join(""), names, hash].join(
      "\n",
    );
    const scope = `${day}/${region}/s3/aws4_request`;
    const text = ["AWS4-HMAC-SHA256", date, scope, hex(createHash("sha256").update(canonical))].join("\n");
    let key: Buffer | string = `AWS4${secret}`;
    for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
    return hex(createHmac("sha256", key).update(text)) === signature ? undefined : "SignatureDoesNotMatch";
  }
}

const hex = (hash: { digest(encoding: "hex"): string }): string => hash.digest("hex");
