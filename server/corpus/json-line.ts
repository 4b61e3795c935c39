import { CorpusError } from "./error.ts";

/** The text of one line of JSON, or why it has none; `where` names the line, `first` says that no other was before. */
export function textOfLine(line: string, field: string, where: string, first: boolean): string | CorpusError {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return new CorpusError("bad-json", `${where} is not JSON${hint(line, first)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return new CorpusError("bad-json", `${where} is ${kindOf(value)}, not a JSON object`);
  }
  if (!Object.hasOwn(value, field)) {
    const fields = Object.keys(value).slice(0, 10).join(", ");
    return new CorpusError("unknown-field", `${where} has no field "${field}" (it has: ${fields})`);
  }
  const found: unknown = Reflect.get(value, field);
  if (typeof found === "string") return found;
  return new CorpusError("unknown-field", `${where}: the field "${field}" is ${kindOf(found)}, not text`);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return { object: "an object", number: "a number", boolean: "true or false", string: "a string" }[
    typeof value as "object" | "number" | "boolean" | "string"
  ];
}

/** Names the usual mistake that makes a line invalid JSON, where it is one of those. */
function hint(line: string, first: boolean): string {
  const text = line.trim();
  const number = /[:[,]\s*(-?(?:NaN|Infinity))\s*[,\]}]/.exec(text)?.[1];
  if (number !== undefined) return `: ${number} is Python's and not JSON's, which has null`;
  if (first && (text === "[" || text === "{" || /^\[\s*\{/.test(text))) {
    return ": it begins a JSON text of many lines, and each line must be an object of its own (jq -c '.[]' makes them of an array)";
  }
  return "";
}
