import { ProtocolError } from "../../protocol/errors.ts";
import { parseJson } from "../../protocol/guards.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { parseRunHelps } from "../../protocol/run-help.ts";
import type { Api } from "../transport/api.ts";
import { type HttpOptions, MAX_JSON_ANSWER, request } from "../transport/request.ts";

/** Runs that are named in a line. */
const MAX_NAMED = 5;

/** The address of one run of several ends with its path (rule S5). */
const RUN_PATH = /\/r\/[^/]+$/;

/**
 * The same api, which says what there is where the address is that of a server of several runs, or of a run that it does not
 * have: to wait for work there would last for ever.
 */
export function namingRuns(api: Api, options: HttpOptions): Api {
  return {
    ...api,
    manifest: async (call) => {
      try {
        return await api.manifest(call);
      } catch (error) {
        if (error instanceof ProtocolError && error.code === "not-found") {
          const runs = await runsOf(options).catch(() => []);
          if (runs.length > 0) throw new Error(lineOf(options.server, runs));
        }
        throw error;
      }
    },
  };
}

/** The addresses of all runs of the server. */
async function runsOf(options: HttpOptions): Promise<readonly string[]> {
  const server = options.server.replace(RUN_PATH, "");
  const answer = await request({ ...options, server }, { path: ROUTES.runs, limit: MAX_JSON_ANSWER }, {});
  return parseRunHelps(parseJson(answer)).map(({ path }) => server + path);
}

function lineOf(server: string, runs: readonly string[]): string {
  const more = runs.length > MAX_NAMED ? `, and ${runs.length - MAX_NAMED} others` : "";
  const named = `${runs.slice(0, MAX_NAMED).join(", ")}${more}`;
  return RUN_PATH.test(server)
    ? `there is no run at ${server}; this server has ${named}`
    : `${server} has several runs, so name one: ${named}`;
}
