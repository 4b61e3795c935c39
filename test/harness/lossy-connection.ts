import { setTimeout as sleep } from "node:timers/promises";
import { errors, type NatsConnection } from "@nats-io/transport-node";

/** A connection some of whose requests, or answers to them, are lost, as with a node that dies: nobody says so. */
export class LossyConnection {
  readonly connection: NatsConnection;
  /** What becomes of a request to a subject. */
  fate: (subject: string) => "lost" | "answer-lost" | "refused" | undefined = () => undefined;
  readonly asked: string[] = [];

  constructor(connection: NatsConnection) {
    const request: NatsConnection["request"] = async (subject, data, options) => {
      this.asked.push(subject);
      const fate = this.fate(subject);
      if (fate === "refused") throw new errors.NoRespondersError(subject);
      const answer = fate === "lost" ? undefined : await connection.request(subject, data, options);
      if (answer !== undefined && fate === undefined) return answer;
      await sleep(options?.timeout);
      throw new errors.TimeoutError();
    };
    this.connection = new Proxy(connection, {
      get(target, name) {
        if (name === "request") return request;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }
}
