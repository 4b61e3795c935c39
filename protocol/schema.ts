import { as, asArray, asBoolean, asInteger, asNumber, asObject, asText, type Json } from "./guards.ts";

/**
 * A message of JSON, written once: the readers of its fields are what a stranger's JSON is checked with, and its type follows
 * from them.
 */

/*
 * The bundler learns of each function below that a call of it does nothing else (`@__NO_SIDE_EFFECTS__`): a page then carries
 * only the messages that it reads.
 */

/** Returns a value of a stranger's JSON with its type, or throws `bad-request` naming the field. */
export type Reader<T> = (value: unknown, field: string) => T;

type Shape = Readonly<Record<string, Reader<unknown>>>;

/** What the readers of an object's fields make of it: a field that may be absent is optional, none is there as undefined. */
type Parsed<S extends Shape> = {
  readonly [K in keyof S as undefined extends ReturnType<S[K]> ? never : K]: ReturnType<S[K]>;
} & {
  readonly [K in keyof S as undefined extends ReturnType<S[K]> ? K : never]?: Exclude<
    ReturnType<S[K]>,
    undefined
  >;
} extends infer All
  ? { readonly [K in keyof All]: All[K] }
  : never;

/** The fields' readers as one, which names each behind `before`. */
function fieldsOf<S extends Shape>(shape: S): (json: Json, before: string) => Parsed<S> {
  const readers = Object.entries(shape);
  return (json, before) => {
    const read: Record<string, unknown> = {};
    for (const [key, reader] of readers) {
      const value = reader(json[key], before + key);
      if (value !== undefined) read[key] = value;
    }
    return read as Parsed<S>; // the one cast: every field is what its reader returned
  };
}

/** Reads a whole message; unknown fields are dropped. */
/* @__NO_SIDE_EFFECTS__ */
export function message<S extends Shape>(shape: S): (json: Json) => Parsed<S> {
  const read = fieldsOf(shape);
  return (json) => read(json, "");
}

/** An object within a message. */
/* @__NO_SIDE_EFFECTS__ */
export function object<S extends Shape>(shape: S): Reader<Parsed<S>> {
  const read = fieldsOf(shape);
  return (value, field) => read(asObject(value, field), `${field}.`);
}

/** A list of at most this many. */
/* @__NO_SIDE_EFFECTS__ */
export const list =
  <T>(of: Reader<T>, most: number): Reader<readonly T[]> =>
  (value, field) =>
    asArray(value, field, most).map((one, i) => of(one, `${field}[${i}]`));

/** An object of names that nobody has listed. */
/* @__NO_SIDE_EFFECTS__ */
export const record =
  <T>(of: Reader<T>): Reader<Readonly<Record<string, T>>> =>
  (value, field) =>
    Object.fromEntries(Object.entries(asObject(value, field)).map(([name, one]) => [name, of(one, field)]));

/** A field that may be absent. */
/* @__NO_SIDE_EFFECTS__ */
export const optional =
  <T>(of: Reader<T>): Reader<T | undefined> =>
  (value, field) =>
    value === undefined ? undefined : of(value, field);

/* @__NO_SIDE_EFFECTS__ */
export const orNull =
  <T>(of: Reader<T>): Reader<T | null> =>
  (value, field) =>
    value === null ? null : of(value, field);

/* @__NO_SIDE_EFFECTS__ */
export const integer =
  (least: number, most: number): Reader<number> =>
  (value, field) =>
    asInteger(value, field, least, most);

/** A whole number from 0. */
export const count = integer(0, Number.MAX_SAFE_INTEGER);

/* @__NO_SIDE_EFFECTS__ */
export const number =
  (least: number, most: number): Reader<number> =>
  (value, field) =>
    asNumber(value, field, least, most);

/** Text of at most this many characters. */
/* @__NO_SIDE_EFFECTS__ */
export const text =
  (most: number): Reader<string> =>
  (value, field) =>
    asText(value, field, most);

export const flag: Reader<boolean> = asBoolean;

/** True, or absent: false counts as that. */
export const onlyTrue: Reader<true | undefined> = (value, field) =>
  value !== undefined && asBoolean(value, field) ? true : undefined;

/** An id, by its guard. */
/* @__NO_SIDE_EFFECTS__ */
export const id =
  <T>(guard: (value: unknown) => value is T): Reader<T> =>
  (value, field) =>
    as(guard, value, field);

/** One of these words. */
/* @__NO_SIDE_EFFECTS__ */
export const oneOf = <const T extends string>(...words: readonly T[]): Reader<T> =>
  id((value): value is T => words.some((word) => word === value));
