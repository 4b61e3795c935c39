/**
 * Where a mirror's files are written. Paths are those of the server's own API, without the slash at their beginning. A file
 * appears whole under its name, or not at all. Rejects with whatever error the system or the service gives.
 */
export interface MirrorTarget {
  /** What an operator called it. */
  readonly name: string;
  read(path: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  write(path: string, bytes: Uint8Array<ArrayBuffer>, headers: FileHeaders): Promise<void>;
  /** Absent is fine. */
  remove(path: string): Promise<void>;
}

/** For a bucket, which answers with them; a web server that serves a directory sets its own. */
export interface FileHeaders {
  readonly "content-type": string;
  readonly "cache-control": string;
}

/** A mirror that cannot be used as it is: what is wrong with it, for its operator. */
export class MirrorError extends Error {
  override readonly name = "MirrorError";
}
