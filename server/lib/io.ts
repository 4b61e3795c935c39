/** The parts of the process that a command uses. */
export interface ServeIo {
  readonly stdout: Writer;
  readonly stderr: Writer;
  /** Aborts when the operator asks the server to stop. */
  readonly signal: AbortSignal;
  /** The command line that starts this program again, without its arguments: the runtime and the script. */
  readonly program: readonly [string, ...string[]];
}

export interface Writer {
  write(text: string): unknown;
  /** Whether a person looks at it, for progress bars. */
  readonly isTTY?: boolean | undefined;
}
