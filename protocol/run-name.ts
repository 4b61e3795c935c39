/**
 * Where a server of several runs has each of them (rule S5): under the path `/r/NAME`, and perhaps by the host NAME.DOMAIN
 * too. A name is that of a folder, a path and a host at once, so it is a label of DNS in lower case.
 */
export const MAX_RUN_NAME = 40;

/** The same as text, for other patterns. */
const NAME = `[a-z0-9](?:[a-z0-9-]{0,${MAX_RUN_NAME - 2}}[a-z0-9])?`;
const WHOLE_NAME = new RegExp(`^${NAME}$`);
const PATH = new RegExp(`^/r/${NAME}$`);
const AT_END = new RegExp(`/r/${NAME}$`);

/** A name that a run may have on a server of several. */
export const isRunName = (value: unknown): value is string =>
  typeof value === "string" && WHOLE_NAME.test(value);

/** A run's path below its server's base, without a slash at its end. */
export const runPath = (name: string): string => `/r/${name}`;

export const isRunPath = (value: unknown): value is string => typeof value === "string" && PATH.test(value);

/** An origin that may have a run's path behind it, in its two parts; the path is empty where there is none. */
export function splitRunPath(origin: string): { readonly origin: string; readonly path: string } {
  const path = AT_END.exec(origin)?.[0] ?? "";
  return { origin: origin.slice(0, origin.length - path.length), path };
}
