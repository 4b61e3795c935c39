/** A tokenizer.json's parts that this bench changes. */
interface TokenizerFile {
  readonly model: { readonly vocab: Record<string, number>; readonly merges: [string, string][] };
}

/**
 * Makes a byte-level BPE of so many entries out of a smaller one: each further entry joins two that it has, in an order that is
 * always the same. They rank behind all merges that were learnt, so text is cut up much as before, and their number is real.
 */
export function withEntries(file: string, entries: number): string {
  const tokenizer: TokenizerFile = JSON.parse(file);
  const { vocab, merges } = tokenizer.model;
  const known = Object.keys(vocab);
  let next = known.length;
  for (let distance = 0; next < entries; distance++) {
    if (distance >= known.length) throw new RangeError(`${known.length} entries do not make ${entries}`);
    for (let first = 0; first < known.length && next < entries; first++) {
      const [one, two] = [known[first]!, known[(first + distance) % known.length]!];
      const joined = one + two;
      if (joined in vocab) continue;
      vocab[joined] = next++;
      merges.push([one, two]);
    }
  }
  return JSON.stringify(tokenizer);
}
