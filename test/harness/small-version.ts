import type { Ticket } from "../../protocol/ticket.ts";
import type { Run } from "../../server/run/run.ts";
import { smallDelta } from "./http-volunteer.ts";
import { type TestVolunteer, until } from "./tiny-run.ts";

/** Publishes one version more, of one small delta, in a run whose clock goes by itself. Gives the delta's ticket. */
export async function publishSmall(run: Run, volunteer: TestVolunteer): Promise<Ticket> {
  const { version } = run.status();
  const ticket = await volunteer.ticket(run);
  const frame = smallDelta(run.manifest().parameters, version, ticket);
  const report = { loss: 2, trainMs: 5, device: "test", steps: ticket.steps };
  await run.accept(volunteer.identity.key, ticket.id, { ticket, report, frame });
  await until(() => {
    run.tick();
    return run.status().version > version;
  });
  return ticket;
}
