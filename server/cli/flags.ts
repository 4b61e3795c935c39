import { messageOf } from "../../model/lib/message-of.ts";
import { isMirrorUrl } from "../../protocol/manifest.ts";
import { MAX_RUN_NAME } from "../../protocol/run-name.ts";
import type { ServeOptions } from "../app/serve-options.ts";
import { serversIn } from "../store/cluster-login.ts";
import { readArgs, UsageError } from "./command.ts";
import { monitorsOf } from "./monitor-flag.ts";
import { tasksIn } from "./tasks.ts";

export const SERVE_USAGE = `Usage: murmuration serve [--port P] [--host H] [--data DIR] [--run FILE] [--from FOLDER] [--volunteers N]
                         [--tls-cert FILE --tls-key FILE | --trust-proxy] [--alert-url URL] [--embed-on ORIGIN]…
                         [--origin ORIGIN]… [--mirror PLACE --mirror-url URL] [--cluster ADDRESS --key FILE [--edge]
                         [--tasks LIST] [--monitor PLACES] [--unsafe]] [--create]
                         [--many] [--domain NAME]

Serves a run: the pages, the work, and the model as it grows. On a missing or empty data directory it makes
the default run (Moby Dick, a model of about 0.3M parameters).

  --port P          the port (8080); 0 takes any free one
  --host H          the address to listen on (127.0.0.1: this machine only)
  --data DIR        the data directory (./data)
  --run FILE        JSON settings of a new run; docs/RUN_FILE.md lists its keys
  --from FOLDER     begin a new run with a GPT-2 of Hugging Face's: config.json, model.safetensors, tokenizer.json
  --create          make no default run: the operator brings a text and makes the run on /operator
  --many            make an empty data directory one for several runs, each in DIR/runs/NAME and served at /r/NAME/;
                    the operator makes them on /operator. One that has runs/ needs no such flag
  --domain NAME     serve each of several runs at its own host name too, NAME.train.example for --domain train.example
  --volunteers N    also start N volunteers on this machine (0)
  --tls-cert FILE   serve HTTPS with this certificate (PEM) …
  --tls-key FILE    … and its private key
  --trust-proxy     a reverse proxy stands in front: believe its X-Forwarded-For, -Host, -Proto and -Port
  --proxy-hops N    the same for N proxies in a row, each of which appends to X-Forwarded-For (1)
  --origin ORIGIN   take signed requests only from volunteers who came by this address, e.g. https://train.example;
                    repeat it for more (any address may be the server's)
  --base-path PATH  the proxy passes requests on under this path, e.g. /train/; one that takes its path off needs
                    no such flag
  --mirror PLACE    copy what volunteers download to a directory that a web server serves, or to s3://BUCKET/PREFIX …
  --mirror-url URL  … where they find it at this address, and ask there first, e.g. https://cdn.example/run
  --cluster ADDRESS keep the run on a NATS JetStream cluster, e.g. nats://a,b,c (docs/CLUSTER.md); the data directory has
                    its corpus …
  --key FILE        … and this file its key, which is made where it is missing
  --tasks LIST      on a cluster: work for the server that leads while this one does not: audits,
                    evaluations,merges
  --edge            on a cluster: answer visitors for the server that leads, and never lead
  --monitor PLACES  on a cluster: ask its nodes' monitoring ports here, e.g. a:8222,b:8222,c:8222, whether they sync
                    what they acknowledge (port 8222 of each server of ADDRESS)
  --unsafe          take a cluster of one server, an old one, or one that does not sync: for a trial
  --alert-url URL   POST alerts here: diverging loss, a stalled run, many refusals, a full disk
  --embed-on ORIGIN only pages of this origin, e.g. https://blog.example, may embed the volunteer; repeat it
                    for more (any page may)

A bucket is written with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and, for another service than AWS's own,
AWS_ENDPOINT_URL_S3 from the environment.
METRICS_TOKEN in the environment lets other machines read /metrics with it as a bearer token.
LOG_LEVEL in the environment sets what is logged to stderr as JSON (warn; info, debug, error, silent).
`;

/** Local volunteers: each takes a thread and about 100 MB. */
const MAX_VOLUNTEERS = 256;

const MAX_PROXIES = 10;
/** Characters of --base-path. */
const MAX_BASE_CHARS = 64;

/** Reads what follows `serve`. Throws {@link UsageError}; `help` when that is asked. */
export function parseServeFlags(args: readonly string[]): ServeOptions | "help" {
  const values = read(args);
  if (values.help) return "help";
  const cert = values["tls-cert"];
  const key = values["tls-key"];
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError("--tls-cert and --tls-key come together");
  }
  if (values.create && (values.run !== undefined || values.from !== undefined)) {
    throw new UsageError("--create leaves to the page what --run and --from say");
  }
  for (const name of ["data", "host", "run", "from", "mirror"] as const) {
    if (values[name]?.trim() === "") throw new UsageError(`--${name} is empty`);
  }
  return {
    port: whole("--port", values.port ?? "8080", 65_535),
    host: values.host ?? "127.0.0.1",
    data: values.data ?? "./data",
    run: values.run,
    from: values.from,
    create: values.create ?? false,
    many: values.many ?? false,
    domain: values.domain === undefined ? undefined : domainIn(values.domain),
    volunteers: whole("--volunteers", values.volunteers ?? "0", MAX_VOLUNTEERS),
    tls: cert === undefined || key === undefined ? undefined : { cert, key },
    basePath: basePath(values["base-path"] ?? "/"),
    proxies: proxiesOf(values["trust-proxy"] ?? false, values["proxy-hops"]),
    mirror: mirrorOf(values.mirror, values["mirror-url"]),
    edge: edgeOf(values.edge ?? false, values.cluster),
    tasks: tasksOf(values.tasks, values.cluster),
    cluster: clusterOf(values),
    alertUrl: values["alert-url"] === undefined ? undefined : alertUrl(values["alert-url"]),
    origins: (values.origin ?? []).map((text) => originIn("--origin", text)),
    embedOn: (values["embed-on"] ?? []).map((text) => originIn("--embed-on", text)),
  };
}

function read(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  return readArgs(
    args,
    {
      port: text,
      host: text,
      data: text,
      run: text,
      from: text,
      create: flag,
      many: flag,
      domain: text,
      volunteers: text,
      "tls-cert": text,
      "tls-key": text,
      "trust-proxy": flag,
      "proxy-hops": text,
      "base-path": text,
      mirror: text,
      "mirror-url": text,
      cluster: text,
      key: text,
      edge: flag,
      tasks: text,
      monitor: text,
      unsafe: flag,
      "alert-url": text,
      origin: { ...text, multiple: true },
      "embed-on": { ...text, multiple: true },
    },
    false,
  ).values;
}

/**
 * An origin as browsers write it, whatever capitals, default port, slash or letters beyond ASCII it was given with; and
 * nothing that would be more than one source in a Content-Security-Policy.
 */
function originIn(flag: string, text: string): string {
  const url = URL.parse(text.trim());
  // A host may hold a ";" to a URL, and to a policy that would begin another directive.
  if (url !== null && /^https?:\/\/[\w.[\]:-]+$/.test(url.origin)) {
    const more = url.href.slice(url.href.indexOf(url.host) + url.host.length);
    if (url.username + url.password === "" && more === "/") return url.origin;
    const what = url.username + url.password === "" ? `“${more}”` : "a user name";
    throw new UsageError(`${flag} takes an origin, without ${what}: did you mean ${url.origin}?`);
  }
  const meant = /^[\w.-]+$/.test(text) ? `: did you mean https://${text.toLowerCase()}?` : "";
  throw new UsageError(
    `${flag} takes an origin such as https://blog.example, not ${JSON.stringify(text)}${meant}`,
  );
}

function basePath(text: string): string {
  if (/^(?:\/[\w-][\w.-]*)*\/?$/.test(text) && text.length <= MAX_BASE_CHARS) return text.replace(/\/$/, "");
  throw new UsageError(`--base-path takes a path such as /train/, not ${JSON.stringify(text)}`);
}

/** Characters of a host name, less those of a run's name before it (RFC 1035 §2.3.4). */
const MAX_DOMAIN_CHARS = 253 - MAX_RUN_NAME - 1;

function domainIn(text: string): string {
  const domain = text.trim().toLowerCase();
  const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
  // An address's last label is a number, and nothing can stand below an address.
  const isDomain = new RegExp(`^(?:${label}\\.)*(?!\\d+$)${label}$`).test(domain);
  if (isDomain && domain.length <= MAX_DOMAIN_CHARS) return domain;
  throw new UsageError(`--domain takes a domain such as train.example, not ${JSON.stringify(text)}`);
}

function proxiesOf(trusted: boolean, hops: string | undefined): number {
  if (hops === undefined) return trusted ? 1 : 0;
  const proxies = whole("--proxy-hops", hops, MAX_PROXIES);
  if (proxies === 0) throw new UsageError("--proxy-hops counts at least one proxy");
  return proxies;
}

function mirrorOf(place: string | undefined, address: string | undefined): ServeOptions["mirror"] {
  if (place === undefined && address === undefined) return undefined;
  if (place === undefined || address === undefined) {
    throw new UsageError(
      "--mirror and --mirror-url come together: where files are written, and where they are found",
    );
  }
  const url = address.replace(/\/+$/, "");
  if (isMirrorUrl(url)) return { place, url };
  throw new UsageError(
    `--mirror-url takes an address such as https://cdn.example/run, not ${JSON.stringify(address)}`,
  );
}

function edgeOf(edge: boolean, cluster: string | undefined): boolean {
  if (edge && cluster === undefined)
    throw new UsageError("--edge is for a run on a cluster: --cluster names it");
  return edge;
}

function tasksOf(list: string | undefined, cluster: string | undefined): ServeOptions["tasks"] {
  if (list !== undefined && cluster === undefined)
    throw new UsageError("--tasks is for a run on a cluster: --cluster names it");
  return list === undefined ? [] : tasksIn(list);
}

function clusterOf({
  cluster: address,
  key,
  monitor,
  unsafe = false,
}: Pick<ReturnType<typeof read>, "cluster" | "key" | "monitor" | "unsafe">): ServeOptions["cluster"] {
  if ([address, key, monitor].every((one) => one === undefined) && !unsafe) return undefined;
  if (address === undefined || key === undefined) throw new UsageError("--cluster and --key come together");
  if (key.trim() === "") throw new UsageError("--key is empty");
  try {
    serversIn(address);
  } catch (error) {
    throw new UsageError(`--cluster: ${messageOf(error)}`);
  }
  return { address, key, unsafe, monitors: monitorsOf(monitor) };
}

function alertUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === "https:" || url?.protocol === "http:") return url;
  throw new UsageError(`--alert-url takes an http(s) address, not ${JSON.stringify(text)}`);
}

function whole(flag: string, text: string, most: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) > most) {
    throw new UsageError(`${flag} takes a whole number from 0 to ${most}, not ${JSON.stringify(text)}`);
  }
  return Number(text);
}
