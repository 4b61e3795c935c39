import { here } from "../../protocol/address.ts";
import { asObject, asText, type Json, parseJson } from "../../protocol/guards.ts";
import { intermediaryOf, intermediaryWith } from "../../protocol/intermediary.ts";
import { intermediaryLine } from "../../protocol/intermediary-line.ts";
import { MADE_UP_CLIENT, OPERATOR_HEADER } from "../../protocol/operator.ts";

/** The server said no. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Asks an operator's route: a GET without a body, a POST of JSON, or of bytes. Rejects with {@link Refused}, or with
 * whatever fetch rejects with where there was no answer.
 */
export type Ask = (path: string, body?: Json | Uint8Array<ArrayBuffer>) => Promise<Json>;

export function askWith(fetching: typeof fetch): Ask {
  return async (path, body) => {
    const answer = await fetching(here(path), {
      redirect: "manual",
      ...(body === undefined ? { cache: "no-store" as const, headers: PROBE } : posted(body)),
    });
    if (answer.ok && intermediaryOf(answer) === undefined) return jsonOf(answer);
    const { code, message } = await refusalIn(answer);
    throw new Refused(code, message);
  };
}

/** Why an answer is none: the server's own words, or who answered in its place, under the code `intermediary`. */
async function refusalIn(answer: Response): Promise<{ code: string; message: string }> {
  const other = intermediaryOf(answer);
  if (other !== undefined) return { code: "intermediary", message: intermediaryLine(other) };
  try {
    const { code, message } = asObject((await jsonOf(answer)).error, "error");
    return { code: asText(code, "code", 60), message: asText(message, "message", 2_000) };
  } catch {
    return { code: "intermediary", message: intermediaryLine(intermediaryWith(answer.status)) };
  }
}

const PROBE = { [MADE_UP_CLIENT.name]: MADE_UP_CLIENT.address };

function posted(body: Json | Uint8Array<ArrayBuffer>): RequestInit {
  const bytes = body instanceof Uint8Array;
  return {
    method: "POST",
    headers: {
      ...PROBE,
      "content-type": bytes ? "application/octet-stream" : "application/json",
      [OPERATOR_HEADER]: "1",
    },
    body: bytes ? body : JSON.stringify(body),
  };
}

const jsonOf = async (answer: Response): Promise<Json> =>
  parseJson(new Uint8Array(await answer.arrayBuffer()));
