import type { NatsObjects } from "./nats-objects.ts";
import { packSegment, recordsOf, scan } from "./segment.ts";
import { StoreError } from "./store.ts";

const SHELF = "archive";
/** The number of a part's first record, and of the first one after it. */
const NAME = /^(\d{15})-(\d{15})$/;

interface Part {
  readonly name: string;
  readonly first: number;
  readonly end: number;
}

type ArchiveObjects = Pick<NatsObjects, "list" | "get" | "put">;

/** The journal's old records without their frames, as objects in the format of a stripped segment (segment.ts). */
export class NatsArchive {
  readonly #objects: ArchiveObjects;
  #parts: Part[];
  #read: { readonly name: string; readonly records: readonly Uint8Array<ArrayBuffer>[] } | undefined;

  private constructor(objects: ArchiveObjects, parts: Part[]) {
    this.#objects = objects;
    this.#parts = parts;
  }

  /** Rejects with a StoreError where a part is missing. */
  static async open(objects: ArchiveObjects): Promise<NatsArchive> {
    return new NatsArchive(objects, await partsIn(objects));
  }

  /** Learns of what was added since. Rejects as {@link open} does. */
  async refresh(): Promise<void> {
    this.#parts = await partsIn(this.#objects);
  }

  /** The number of the first record that is not archived. */
  get length(): number {
    return this.#parts.at(-1)?.end ?? 0;
  }

  /** Archives the records from {@link length} on. */
  async add(records: readonly Uint8Array[]): Promise<void> {
    const first = this.length;
    const end = first + records.length;
    const name = [first, end].map((number) => String(number).padStart(15, "0")).join("-");
    const { bytes } = await packSegment({ first, previous: 0, salt: 0, end: 0 }, records);
    await this.#objects.put(`${SHELF}/${name}`, bytes);
    this.#parts.push({ name, first, end });
  }

  async record(sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    const part = this.#parts.find(({ end }) => sequence < end);
    const record = part && (await this.#recordsIn(part))[sequence - part.first];
    if (record === undefined) throw new StoreError(`the journal's archive has no record ${sequence}`);
    return record;
  }

  async #recordsIn({ name, first, end }: Part): Promise<readonly Uint8Array<ArrayBuffer>[]> {
    if (this.#read?.name === name) return this.#read.records;
    const bytes = await this.#objects.get(`${SHELF}/${name}`);
    if (bytes === undefined) throw new StoreError(`the journal's archive has lost ${name}`);
    const { blocks, sound } = scan(bytes, name);
    const records = blocks.flatMap((block) =>
      recordsOf(bytes.subarray(block.offset, block.offset + block.bytes), true),
    );
    if (sound !== bytes.length || records.length !== end - first) throw new StoreError(`${name} is damaged`);
    this.#read = { name, records };
    return records;
  }
}

async function partsIn(objects: ArchiveObjects): Promise<Part[]> {
  const parts: Part[] = [];
  for (const name of await objects.list(SHELF)) {
    const [, first, end] = NAME.exec(name) ?? [];
    if (first !== undefined && end !== undefined)
      parts.push({ name, first: Number(first), end: Number(end) });
  }
  return longestChain(parts);
}

/**
 * Parts that go on where the one before ends, from record 0 as far as they go. Parts may overlap: one whose answer was lost is
 * stored all the same, and its writer or the next begins where it began. All of them hold the same records. Throws a
 * StoreError where one lies beyond a gap.
 */
function longestChain(parts: readonly Part[]): Part[] {
  const chains = new Map<number, Part[]>([[0, []]]);
  for (const part of parts.toSorted((a, b) => a.first - b.first)) {
    const before = chains.get(part.first);
    if (before !== undefined && !chains.has(part.end)) chains.set(part.end, [...before, part]);
  }
  const end = Math.max(...chains.keys());
  const beyond = parts.find((part) => part.end > end);
  if (beyond !== undefined)
    throw new StoreError(`the journal's archive has a gap before record ${beyond.first}`);
  return chains.get(end) ?? [];
}
