import type { Log } from "../lib/log.ts";
import type { Alert } from "./alerts.ts";

/** Milliseconds a receiver has to answer; the next alert tries again. */
const ANSWER_MS = 10_000;

/**
 * Tells an address that the operator named, once when an alert begins and once when it is over. Beside texts that an
 * operator has it fetch (setup/fetched-text.ts) this server opens no connection.
 */
export class Webhook {
  readonly #url: URL;
  readonly #log: Log;
  readonly #ask: typeof fetch;
  #reported: ReadonlyMap<Alert["kind"], Alert> = new Map();

  constructor(url: URL, log: Log, ask: typeof fetch = fetch) {
    this.#url = url;
    this.#log = log;
    this.#ask = ask;
  }

  /** Reports what changed since the last call. Never rejects: what cannot be sent is logged. */
  async tell(run: string, alerts: readonly Alert[]): Promise<void> {
    const now = new Map(alerts.map((alert) => [alert.kind, alert]));
    const begun = alerts.filter(({ kind }) => !this.#reported.has(kind));
    const over = [...this.#reported.values()].filter(({ kind }) => !now.has(kind));
    this.#reported = now;
    for (const { kind, message } of begun)
      await this.#send({ run, alert: kind, state: "begun", text: message });
    for (const { kind, message } of over)
      await this.#send({ run, alert: kind, state: "over", text: message });
  }

  /** `text` is the key that chat programs' webhooks read. */
  async #send(body: {
    readonly run: string;
    readonly alert: string;
    readonly state: string;
    readonly text: string;
  }) {
    try {
      const answer = await this.#ask(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          ...body,
          text: `${body.run}: ${body.state === "over" ? "over: " : ""}${body.text}`,
        }),
        redirect: "error",
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    } catch (error) {
      this.#log.warn({ error: String(error), alert: body.alert }, "an alert could not be sent");
    }
  }
}
