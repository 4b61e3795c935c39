import { Random } from "./random.js";

/**
 * The micro-batches of a ticket (rule T3 of docs/PROTOCOL.md): for each step the tokens of `batch` rows of
 * context + 1, one row after another.
 */
export function batchesOf(shard, ticket, context) {
  const random = new Random(ticket.seed);
  const phase = random.below(Math.max(1, Math.min(context, shard.length - context)));
  const windows = Math.floor((shard.length - phase - 1) / context);
  if (windows < 1) throw new Error("the shard has not one window");
  const order = [];
  for (let i = 0; i < ticket.steps * ticket.batch; i++) order.push((ticket.window + i) % windows);
  for (let i = order.length - 1; i >= 1; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const row = (index) => shard.subarray(phase + index * context, phase + index * context + context + 1);
  return Array.from({ length: ticket.steps }, (_, step) => {
    const tokens = new Uint16Array(ticket.batch * (context + 1));
    for (let r = 0; r < ticket.batch; r++) {
      tokens.set(row(order[step * ticket.batch + r]), r * (context + 1));
    }
    return tokens;
  });
}
