/** Prometheus' text format (version 0.0.4), written metric by metric. */
export class Exposition {
  readonly #prefix: string;
  #text = "";

  /** `prefix` begins every name. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  get text(): string {
    return this.#text;
  }

  /** A metric of one value. What only grows has a name that ends with "_total", and is a counter. */
  metric(name: string, help: string, value: number): void {
    this.#head(name, help);
    this.#text += `${this.#prefix}${name} ${numberText(value)}\n`;
  }

  /** A metric with a value for each of a label's. */
  tally(name: string, help: string, label: string, values: Readonly<Record<string, number>>): void {
    this.#head(name, help);
    for (const [key, value] of Object.entries(values)) {
      this.#text += `${this.#prefix}${name}{${label}="${labelText(key)}"} ${numberText(value)}\n`;
    }
  }

  #head(name: string, help: string): void {
    const type = name.endsWith("_total") ? "counter" : "gauge";
    this.#text += `# HELP ${this.#prefix}${name} ${help}\n# TYPE ${this.#prefix}${name} ${type}\n`;
  }
}

const labelText = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
