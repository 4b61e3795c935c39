import { here } from "../../../protocol/address.ts";
import { asObject, asText, type Json, parseJson } from "../../../protocol/guards.ts";
import { OPERATOR_HEADER } from "../../../protocol/operator.ts";

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
    const answer = await fetching(here(path), body === undefined ? { cache: "no-store" } : posted(body));
    const json = await jsonOf(answer);
    if (answer.ok) return json;
    const error = asObject(json.error, "error");
    throw new Refused(asText(error.code, "code", 60), asText(error.message, "message", 2_000));
  };
}

function posted(body: Json | Uint8Array<ArrayBuffer>): RequestInit {
  const bytes = body instanceof Uint8Array;
  return {
    method: "POST",
    headers: {
      "content-type": bytes ? "application/octet-stream" : "application/json",
      [OPERATOR_HEADER]: "1",
    },
    body: bytes ? body : JSON.stringify(body),
  };
}

const jsonOf = async (answer: Response): Promise<Json> =>
  parseJson(new Uint8Array(await answer.arrayBuffer()));
