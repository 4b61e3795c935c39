import { AwsClient } from "aws4fetch";
import { sha256 } from "../../protocol/identity.ts";
import { MirrorError, type MirrorTarget } from "./target.ts";

/** Milliseconds that one request may take: a snapshot of 40 MB needs some, and a dead service must not hold the queue. */
const REQUEST_MS = 60_000;
/** Characters of a service's answer that are shown. */
const MAX_SHOWN = 200;

/** The environment of AWS's own tools, as far as it says where a bucket is and whose requests it takes. */
export type BucketEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * A bucket of S3, or of a service that speaks its protocol: `s3://BUCKET/PREFIX`. Requests are signed with the
 * environment's credentials and go to AWS_ENDPOINT_URL_S3 where that is set. Throws a {@link MirrorError} for what names
 * no bucket or has no credentials.
 */
export function bucketTarget(
  address: string,
  environment: BucketEnvironment,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): MirrorTarget {
  const [, bucket, prefix = ""] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([\w./-]*))?$/.exec(address) ?? [];
  if (bucket === undefined) throw new MirrorError(`${address} names no bucket: s3://BUCKET/PREFIX`);
  const client = clientOf(environment);
  const region = client.region ?? "us-east-1";
  const endpoint = environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL;
  const base = endpoint ?? `https://s3.${region}.amazonaws.com`;
  if (!/^https?:\/\//.test(base)) throw new MirrorError(`AWS_ENDPOINT_URL_S3 is no http(s) address: ${base}`);
  const folder = prefix.replace(/\/+$/, "");
  const urlOf = (path: string) =>
    `${base.replace(/\/+$/, "")}/${bucket}/${folder === "" ? "" : `${folder}/`}${path}`;

  const send = async (method: string, path: string, body?: Uint8Array<ArrayBuffer>, headers = {}) => {
    const hash = await sha256(body ?? new Uint8Array());
    const init = {
      method,
      headers: { ...headers, "x-amz-content-sha256": hash },
      ...(body && { body }),
      aws: { service: "s3", region },
    };
    const signed = await client.sign(urlOf(path), init);
    const response = await fetch(signed, { signal: AbortSignal.timeout(REQUEST_MS) });
    if (response.ok || response.status === 404) return response;
    const text = (await response.text()).replace(/\s+/g, " ").slice(0, MAX_SHOWN);
    throw new Error(`${method} ${path}: ${response.status} ${text}`);
  };
  return {
    name: address,
    async read(path) {
      const response = await send("GET", path);
      return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
    },
    async write(path, bytes, headers) {
      const response = await send("PUT", path, bytes, headers);
      if (!response.ok) throw new Error(`PUT ${path}: there is no such bucket`);
    },
    async remove(path) {
      await send("DELETE", path);
    },
  };
}

function clientOf(environment: BucketEnvironment): AwsClient {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION } = environment;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    throw new MirrorError("a bucket needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment");
  }
  return new AwsClient({
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
    ...(AWS_REGION && { region: AWS_REGION }),
    service: "s3",
  });
}
