import { parseArgs } from "node:util";
import type { DeviceName } from "../../model/contract/trainer.ts";
import { messageOf } from "../../model/lib/message-of.ts";
import { serverTyped } from "../../protocol/address.ts";

export const VOLUNTEER_USAGE = `Usage: murmuration volunteer URL [--device wasm|cpu] [--share S] [--state DIR]

Trains for the run at URL until it is finished; Ctrl-C stops it within one step. Only changes of the model's
weights are sent, no file of this machine. Now and then it checks another volunteer's change, where the run asks for that.

  --device D    wasm (the fast one) or cpu; without it the faster of the two
  --share S     the part of the time to train, above 0 and up to 1 (1)
  --state DIR   keep the key, the weights and what is in flight here, for the next start; without it nothing is
                written to disk
`;

export interface VolunteerFlags {
  /** Its address (protocol/address.ts), e.g. `https://host.example/train`. */
  readonly server: string;
  readonly device: DeviceName | undefined;
  readonly share: number;
  readonly state: string | undefined;
}

/** A command line that does not make sense. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Reads what follows `volunteer`. Throws {@link UsageError}; `help` when that is asked. */
export function parseVolunteerFlags(args: readonly string[]): VolunteerFlags | "help" {
  const { values, positionals } = read(args);
  if (values.help) return "help";
  const [url, ...more] = positionals;
  if (url === undefined || more.length > 0) throw new UsageError("volunteer takes one URL");
  return {
    server: serverOf(url),
    device: deviceOf(values.device),
    share: shareOf(values.share ?? "1"),
    state: values.state,
  };
}

function read(args: readonly string[]) {
  const text = { type: "string" } as const;
  const help = { type: "boolean", short: "h" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { device: text, share: text, state: text, help },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function serverOf(text: string): string {
  const server = serverTyped(text);
  if (server !== undefined) return server;
  throw new UsageError(`${JSON.stringify(text)} is not an address such as http://localhost:8080`);
}

function deviceOf(text: string | undefined): DeviceName | undefined {
  if (text === undefined || text === "wasm" || text === "cpu") return text;
  throw new UsageError(`--device takes wasm or cpu, not ${JSON.stringify(text)}`);
}

function shareOf(text: string): number {
  const share = Number(text);
  if (text.trim() === "" || !(share > 0 && share <= 1)) {
    throw new UsageError(`--share takes a number above 0 and up to 1, not ${JSON.stringify(text)}`);
  }
  return share;
}
