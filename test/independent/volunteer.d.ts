/** What the tests use of the second implementation: see volunteer.js. */
export interface Totals {
  readonly receipts: number;
  /** By code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly tokens: number;
  /** Receipts whose delta is in a signed version. */
  readonly proven: number;
  /** Of fresh tickets, by reason. */
  readonly audits: Readonly<Record<string, number>>;
}

export class Volunteer {
  constructor(options: {
    /** Where the server's page is. */
    readonly url: string;
    readonly log: (line: string) => void;
    readonly sleep: (ms: number) => Promise<void>;
    /** How many of a ticket's steps are done. */
    readonly steps?: (ticket: { readonly steps: number }) => number;
  });
  readonly key: string;
  readonly totals: Totals;
  readonly taken: { readonly diffs: number; readonly snapshots: number };
  join(): Promise<void>;
  round(): Promise<void>;
  settle(): Promise<void>;
}
