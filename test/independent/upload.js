import { concat, u32, utf8 } from "./bytes.js";

/** The body of an upload: rule D1 of docs/PROTOCOL.md. `ticket` is as it came, its signature included. */
export function uploadOf(ticket, report, frame) {
  const envelope = utf8(JSON.stringify({ ticket, report }));
  return concat(u32(envelope.length), envelope, frame);
}
