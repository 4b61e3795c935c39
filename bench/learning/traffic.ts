/** What all volunteers of a run together sent, received and worked. */
export class Traffic {
  /** Bytes of uploads. */
  up = 0;
  /** Bytes of tickets and diffs. */
  down = 0;
  /** Bytes of the snapshots that newcomers fetched. */
  joins = 0;
  /** Deltas sent, whether or not they were taken. */
  sent = 0;
  /** Tickets received. */
  tickets = 0;
  /** Inner steps of the deltas taken. */
  steps = 0;
  /** Milliseconds of training for deltas that were sent, and of presence. */
  trainedMs = 0;
  presentMs = 0;
}
