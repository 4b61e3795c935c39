import { ProtocolError } from "./errors.ts";

/**
 * Checks of a stranger's JSON: each returns the value with its type or throws `bad-request` naming the field; schema.ts puts
 * them together. Hand-written because the schema library of the server's edge has no place in a visitor's page.
 */
export type Json = Readonly<Record<string, unknown>>;

function refuse(field: string, wanted: string): never {
  throw new ProtocolError("bad-request", `${field} must be ${wanted}`);
}

/** Parses UTF-8 JSON whose top level is an object. Throws `bad-json`. */
export function parseJson(bytes: Uint8Array): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ProtocolError("bad-json", "the body is not UTF-8 JSON");
  }
  return asObject(value, "the body");
}

export function asObject(value: unknown, field: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(field, "an object");
  return value as Json; // the one cast: a non-null, non-array object is a record of unknowns
}

export function asArray(value: unknown, field: string, most: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > most) refuse(field, `an array of at most ${most}`);
  return value;
}

export function asInteger(value: unknown, field: string, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most) {
    refuse(field, `a whole number from ${least} to ${most}`);
  }
  return value;
}

export function asNumber(value: unknown, field: string, least: number, most: number): number {
  if (typeof value !== "number" || !(value >= least && value <= most)) {
    refuse(field, `a number from ${least} to ${most}`);
  }
  return value;
}

export function asText(value: unknown, field: string, most: number): string {
  if (typeof value !== "string" || value.length > most) refuse(field, `text of at most ${most} characters`);
  return value;
}

export function asBoolean(value: unknown, field: string): boolean {
  if (typeof value !== "boolean") refuse(field, "true or false");
  return value;
}

/** Reads a branded id with its guard, e.g. `as(isHash, value, "hash")`. */
export function as<T>(guard: (value: unknown) => value is T, value: unknown, field: string): T {
  if (!guard(value)) refuse(field, "well-formed");
  return value;
}
