import { expect } from "vitest";
import { ProtocolError } from "../protocol/errors.ts";
import { OPERATOR_HEADER, OPERATOR_ROUTES, type OperatorAction } from "../protocol/operator.ts";
import type { AppOptions } from "../server/http/app.ts";
import type { OperatorPort } from "../server/operator/ports.ts";
import type { SetupPort } from "../server/setup/ports.ts";
import { edge } from "./edge.ts";
import { FakeService } from "./fake-service.ts";

/** An operator port that records what reached it. */
export class FakeOperator implements OperatorPort {
  readonly done: OperatorAction[] = [];
  reached = 0;
  link: string | undefined = "the-link";

  async redeem(link: string) {
    if (link !== this.link) return undefined;
    this.link = undefined;
    return "Ann";
  }
  madeUp: boolean | undefined;
  async overview(madeUp?: boolean): Promise<never> {
    this.madeUp = madeUp;
    this.reached++;
    throw new ProtocolError("no-work", "reached");
  }
  async act(action: OperatorAction) {
    this.reached++;
    this.done.push(action);
  }
  model(): never {
    this.reached++;
    throw new ProtocolError("no-work", "reached");
  }
}

/** The setup port of a server without a run; it counts what reaches it. */
export class FakeSetup implements SetupPort {
  reached = 0;
  #no(): never {
    this.reached++;
    throw new ProtocolError("no-work", "reached");
  }
  redeem = async () => "Ann";
  state = async () => this.#no();
  begin = async () => this.#no();
  append = async () => this.#no();
  finish = async () => this.#no();
  discard = async () => this.#no();
  estimate = () => this.#no();
  createRun = async () => this.#no();
}

/** Where the app is, as its browsers see it. */
export const HOST = "http://localhost";
export const JSON_OWN = { origin: HOST, "content-type": "application/json", [OPERATOR_HEADER]: "1" };
export const COOKIE = "murmuration-operator";

/** An app with a run and a fake operator, whose clock a test moves. */
export class OperatorEdge {
  readonly operator = new FakeOperator();
  now = 0;
  app = this.appOf({});

  /** The same app behind so many reverse proxies. */
  behind(proxies: number): void {
    this.app = this.appOf({ proxies });
  }

  /** A server without a run. */
  withoutRun(setup: FakeSetup): void {
    this.app = edge(undefined, { setup, now: () => this.now });
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}) {
    const init = { method: "POST", body: JSON.stringify(body), headers: { ...JSON_OWN, ...headers } };
    return this.app.request(path, init);
  }

  /** The session's cookie. */
  async signIn(): Promise<string> {
    const response = await this.post(OPERATOR_ROUTES.signIn, { link: "the-link" });
    expect(response.status).toBe(200);
    return response.headers.get("set-cookie")?.split(";")[0] ?? "";
  }

  private appOf(changes: Partial<AppOptions>) {
    return edge(new FakeService(), { operator: this.operator, now: () => this.now, ...changes });
  }
}
