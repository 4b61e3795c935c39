/**
 * A small key-value store of structured-cloneable values, kept between visits. What it returns was written by
 * an earlier session, perhaps of an earlier release: readers (entries.ts) check the shape of what they get.
 */
export interface Cache {
  /** The value under a key; undefined where there is none. */
  get(key: string): Promise<unknown>;
  /**
   * Writes every entry, or none of them; undefined deletes. Rejects where the store is full or denied. Vectors stay as they are until it
   * resolves.
   */
  write(changes: Readonly<Record<string, unknown>>): Promise<void>;
  /** Whether what is written ends with the page: all of it is copies in memory. */
  readonly fleeting?: boolean;
}

/** Values of a vector that a fleeting cache keeps: 64 MiB. */
const MAX_FLEETING = 2 ** 24;

/**
 * Whether a model's vectors are worth writing. A fleeting cache serves a device that is lost, which a volunteer of a large model
 * rather pays with its moments than with four more vectors in memory.
 */
export const keeps = ({ fleeting = false }: Cache, values: number): boolean =>
  !fleeting || values <= MAX_FLEETING;

/** A cache that lasts as long as the page: for private windows, full disks, and tests. */
export function memoryCache(): Cache {
  const values = new Map<string, unknown>();
  return {
    fleeting: true,
    get: async (key) => structuredClone(values.get(key)),
    write: async (changes) => {
      const copies = Object.entries(changes).map(([key, value]) => [key, structuredClone(value)] as const);
      for (const [key, value] of copies) {
        if (value === undefined) values.delete(key);
        else values.set(key, value);
      }
    },
  };
}
