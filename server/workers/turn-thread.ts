import { F32 } from "../../protocol/codec/codec.ts";
import { Mutex } from "../lib/mutex.ts";
import { Line } from "../merge/merge-line.ts";
import { MERGE_WORKER } from "../merge/merge-pool.ts";

/** Turns matrices in a merging thread of its own, one at a time. One that has failed is replaced at the next. */
export class TurnThread {
  readonly #mutex = new Mutex();
  #line: Line | undefined;

  /** In place; the values lie in memory that threads share. */
  turn(values: Float32Array<SharedArrayBuffer>, rows: number, columns: number): Promise<void> {
    return this.#mutex.run(async () => {
      this.#line ??= new Line(MERGE_WORKER, undefined);
      const none = new Float32Array();
      const step = {
        before: { theta: none, momentum: none },
        next: { x: none, theta: values, momentum: none },
        ...{ payload: new Uint8Array(), squares: new Float64Array() },
      };
      const outer = { kind: "muon", rate: 0, momentum: 0 } as const;
      const rule = { outer, downlink: F32, matrices: [{ offset: 0, rows, columns }] };
      try {
        await this.#line.ask({ type: "begin", rule, step, part: { from: 0, to: 0 } });
        await this.#line.ask({ type: "turn", matrix: 0 });
      } catch (error) {
        await this.close();
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    const line = this.#line;
    this.#line = undefined;
    await line?.end();
  }
}
