import type { WorkerTask } from "../workers/tasks.ts";
import type { ClusterOptions } from "./cluster.ts";

/** An operator's choices for a server: the command line's flags, parsed. */
export interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly data: string;
  readonly run: string | undefined;
  readonly from: string | undefined;
  /** An empty directory's run is made by the operator. */
  readonly create: boolean;
  /** An empty directory is to hold several runs. */
  readonly many: boolean;
  /** On a server of several runs, the domain below which each has a host name, e.g. `train.example`. */
  readonly domain: string | undefined;
  readonly volunteers: number;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** The path under which a proxy passes requests on, without a slash at its end: e.g. `/train`, or nothing. */
  readonly basePath: string;
  /** Proxies whose word on the client is believed; 0: none. */
  readonly proxies: number;
  /** Origins by which volunteers reach this server; none named: any. */
  readonly origins: readonly string[];
  /** Where volunteers' downloads are copied to, and the address at which volunteers find them. */
  readonly mirror: { readonly place: string; readonly url: string } | undefined;
  /** Where the run is kept instead of the data directory. */
  readonly cluster: ClusterOptions | undefined;
  /** On a cluster: never lead. */
  readonly edge: boolean;
  /** On a cluster: what to do for the server that leads while this one does not. */
  readonly tasks: readonly WorkerTask[];
  readonly alertUrl: URL | undefined;
  /** Origins whose pages may frame the volunteer; none named: any. */
  readonly embedOn: readonly string[];
}
