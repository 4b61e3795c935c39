import { GradientReplica } from "./gradient-replica.ts";
import { loadKernels } from "./kernels.ts";
import { parent } from "./port.ts";
import type { FromWorker, ToWorker } from "./worker-pool.ts";

/**
 * A thread of the pool: for each job it takes the weights, computes its share of the gradient, and sends that
 * back in the very buffer that brought the weights, so nothing is allocated.
 */
const port = parent();
let replica: GradientReplica | undefined;

port.listen((message) => {
  const order = message as ToWorker; // from our own worker-pool.ts, in the same page
  switch (order.type) {
    case "start":
      void start(order);
      break;
    case "job":
      if (replica) work(replica, order);
      break;
  }
});

async function start({ options, fma }: Extract<ToWorker, { type: "start" }>): Promise<void> {
  try {
    replica = new GradientReplica(await loadKernels(fma), options);
    answer({ type: "ready" }, []);
  } catch (error) {
    answer({ type: "failed", reason: String(error) }, []);
  }
}

function work(
  mine: GradientReplica,
  { buffer, tokens, batch, rows }: Extract<ToWorker, { type: "job" }>,
): void {
  const values = new Float32Array(buffer);
  mine.parameters.set(values);
  const loss = mine.backward(tokens, batch, rows);
  values.set(mine.gradients);
  answer({ type: "done", buffer, loss }, [buffer]);
}

function answer(message: FromWorker, transfer: readonly ArrayBuffer[]): void {
  port.post(message, transfer);
}
