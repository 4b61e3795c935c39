/** By which the servers of a run leave to one of them what only one is to do. Nobody stores a claim. */
export interface Claims {
  /** Whether this server does it: it does already, or no other one answers that it does. */
  take(what: string): Promise<boolean>;
  drop(what: string): void;
}
