import type { FileHeaders, MirrorTarget } from "../../server/mirror/target.ts";

/** A mirror in memory, which can fail and keep its writers waiting. */
export class MemoryTarget implements MirrorTarget {
  readonly name = "memory";
  readonly files = new Map<string, { bytes: Uint8Array<ArrayBuffer>; headers: Partial<FileHeaders> }>();
  fails: Error | undefined;
  slow: Promise<void> = Promise.resolve();

  async read(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.fails) throw this.fails;
    return this.files.get(path)?.bytes;
  }

  async write(path: string, bytes: Uint8Array<ArrayBuffer>, headers: FileHeaders): Promise<void> {
    await this.slow;
    if (this.fails) throw this.fails;
    this.files.set(path, { bytes: bytes.slice(), headers });
  }

  async remove(path: string): Promise<void> {
    if (this.fails) throw this.fails;
    this.files.delete(path);
  }

  /** Of a path as clients ask for it. */
  bytesOf = (path: string) => this.files.get(path.slice(1))?.bytes;
  headersOf = (path: string) => this.files.get(path.slice(1))?.headers;

  /** What a web server of these files answers. */
  fetch = async (url: string): Promise<Response> => {
    const found = this.bytesOf(new URL(url).pathname.replace("/run", ""));
    return found === undefined ? new Response("no such file", { status: 404 }) : new Response(found);
  };
}
