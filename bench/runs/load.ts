/** Volunteers of one run, in a process of their own: `load.ts ADDRESS COUNT`. Tells its parent once each has sent. */
import { BusyVolunteer } from "./volunteer.ts";

const [address, count] = process.argv.slice(2);
if (address === undefined || count === undefined) throw new Error("usage: load.ts ADDRESS COUNT");

let sent = 0;
const volunteers = Array.from({ length: Number(count) }, async (_, seed) => {
  const volunteer = await BusyVolunteer.create(address, seed);
  for (let first = true; ; ) {
    const receipts = await volunteer.round();
    if (!first || receipts.length === 0) continue;
    first = false;
    if (++sent === Number(count)) process.send?.("sent");
  }
});
await Promise.all(volunteers);
