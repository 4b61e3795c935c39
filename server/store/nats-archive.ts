import { KeptReads } from "../lib/kept-reads.ts";
import { LetGo } from "./nats-errors.ts";
import type { NatsObjects } from "./nats-objects.ts";
import { packSegment, recordsOf, scan } from "./segment.ts";
import { StoreError } from "./store.ts";

const SHELF = "archive";
/**
 * The number of a part's first record, of the first one after it, and what tells two writers' parts apart: of one name, the
 * later description would go with bytes that the other writer had purged as the earlier ones.
 */
const NAME = /^(\d{15})-(\d{15})(?:-[0-9a-f]{8})?$/;
/** Parts that become one, and records of one at most: whoever reads a record reads its part. */
const JOINED = 16;
const MAX_RECORDS = 16_384;
/** Bytes of records that are kept once read: a proof, or a sum of credit, asks for one record here and one there. */
const MAX_BYTES = 32 * 1024 * 1024;

interface Part {
  readonly name: string;
  readonly first: number;
  readonly end: number;
}

type Records = readonly Uint8Array<ArrayBuffer>[];
type ArchiveObjects = Pick<NatsObjects, "list" | "get" | "put" | "remove">;

/** The journal's old records without their frames, as objects in the format of a stripped segment (segment.ts). */
export class NatsArchive {
  readonly #objects: ArchiveObjects;
  #parts: Part[];
  /** By a part's name. */
  readonly #kept = new KeptReads<string, Records>(MAX_BYTES, (records) =>
    records.reduce((sum, { length }) => sum + length, 0),
  );

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

  /**
   * Archives the records from {@link length} up to one. They keep their numbers: while a server that was held reads them, it may
   * learn that another has archived them already, and the archive's end is another by then.
   */
  async extend(end: number, read: (sequence: number) => Promise<Uint8Array> | Uint8Array): Promise<void> {
    const first = this.length;
    const records: Uint8Array[] = [];
    for (let sequence = first; sequence < end; sequence++) records.push(await read(sequence));
    if (records.length === 0) return;
    const part = await this.#put(first, records);
    if (part.end > this.length) this.#parts.push(part);
  }

  /**
   * Makes few parts of many: the newest become one as often as together they are as long as the one before them, so that a
   * record is copied a few times at most. The one is stored before they are removed; where that is interrupted both are
   * there, and say the same. Rejects with a StoreError where a part is missing.
   */
  async join(): Promise<void> {
    for (let isKnown = false; ; ) {
      const [older, newest] = [this.#parts.slice(0, -JOINED), this.#parts.slice(-JOINED)];
      const [from, to] = [older.at(-1)?.end ?? 0, newest.at(-1)?.end ?? 0];
      const isLong = to - from > MAX_RECORDS || 2 * ((newest[0]?.end ?? 0) - from) > to - from;
      if (newest.length < JOINED || isLong) return;
      const records: Uint8Array[] = [];
      for (const part of newest) {
        const known = from + records.length - part.first;
        if (known < 0) break; // the part before it is gone
        records.push(...(await this.#recordsIn(part)).slice(known));
      }
      if (records.length !== to - from) {
        if (isKnown) throw new StoreError("the journal's archive has lost a part");
        isKnown = true;
        await this.refresh(); // whoever led before may have joined them too, when it woke
        continue;
      }
      const joined = await this.#put(from, records);
      this.#parts = [...older, joined];
      // Also those that nobody reads: their answers were lost, or joining was interrupted. Only shorter ones: of two
      // writers that join the same, each would remove the other's.
      for (const { name, first, end } of await allParts(this.#objects))
        if (first >= from && end <= to && end - first < to - from)
          await this.#objects.remove(`${SHELF}/${name}`);
    }
  }

  async #put(first: number, records: readonly Uint8Array[]): Promise<Part> {
    const end = first + records.length;
    const numbers = [first, end].map((number) => String(number).padStart(15, "0"));
    const name = [...numbers, crypto.randomUUID().slice(0, 8)].join("-");
    const { bytes } = await packSegment({ first, previous: 0, salt: 0, end: 0 }, records);
    await this.#objects.put(`${SHELF}/${name}`, bytes);
    return { name, first, end };
  }

  async record(sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    return (await this.#find(sequence)) ?? this.#missing(sequence);
  }

  /** Where its part is not there, whoever leads has joined it to others since the parts were read. */
  async #missing(sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.refresh();
    const record = await this.#find(sequence);
    if (record === undefined) throw new StoreError(`the journal's archive has no record ${sequence}`);
    return record;
  }

  async #find(sequence: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const part = this.#parts.find(({ end }) => sequence < end);
    return part && (await this.#recordsIn(part))[sequence - part.first];
  }

  /** None where the part is not there. */
  async #recordsIn(part: Part): Promise<Records> {
    try {
      return await this.#kept.read(part.name, () => this.#read(part));
    } catch (error) {
      if (error instanceof LetGo) return [];
      throw error;
    }
  }

  async #read({ name, first, end }: Part): Promise<Records> {
    const bytes = await this.#objects.get(`${SHELF}/${name}`);
    if (bytes === undefined) throw new LetGo(`${name} was joined to others, or is lost`);
    const { blocks, sound } = scan(bytes, name);
    const records = blocks.flatMap((block) =>
      recordsOf(bytes.subarray(block.offset, block.offset + block.bytes), true),
    );
    if (sound !== bytes.length || records.length !== end - first) throw new StoreError(`${name} is damaged`);
    return records;
  }
}

const partsIn = async (objects: ArchiveObjects) => longestChain(await allParts(objects));

async function allParts(objects: ArchiveObjects): Promise<Part[]> {
  const parts: Part[] = [];
  for (const name of await objects.list(SHELF)) {
    const [, first, end] = NAME.exec(name) ?? [];
    if (first !== undefined && end !== undefined)
      parts.push({ name, first: Number(first), end: Number(end) });
  }
  return parts;
}

/**
 * Parts that cover the records from 0 on, as far as they go, each further than the one before. They may overlap: a part whose
 * answer was lost is stored all the same, and a server that woke has archived and joined what the one that leads has, cut
 * elsewhere. All of them hold the same records. Throws a StoreError where one lies beyond a gap.
 */
function longestChain(parts: readonly Part[]): Part[] {
  const chain: Part[] = [];
  for (let end = 0; ; ) {
    const next = parts.filter(({ first }) => first <= end).sort((a, b) => b.end - a.end)[0];
    if (next === undefined || next.end <= end) break;
    chain.push(next);
    end = next.end;
  }
  const beyond = parts.find(({ end }) => end > (chain.at(-1)?.end ?? 0));
  if (beyond !== undefined)
    throw new StoreError(`the journal's archive has a gap before record ${beyond.first}`);
  return chain;
}
