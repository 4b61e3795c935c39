/** A stretch of a program, counted. */
export interface Assembly {
  readonly instructions: number;
  /** Multiply-adds among them. */
  readonly multiplyAdds: number;
}

/**
 * The loop with the most multiply-adds in AMD's assembly as RADV prints it, blocks that lie within it included: of two loops
 * that have as many, the shorter. Without a loop, nothing.
 */
export function innerLoop(log: string): Assembly {
  const from = log.lastIndexOf("disasm:");
  const blocks = from < 0 ? [] : blocksOf(log.slice(from));
  const place = new Map(blocks.map(({ name }, i) => [name, i]));
  let best: Assembly = { instructions: 0, multiplyAdds: 0 };
  blocks.forEach(({ targets }, end) => {
    for (const target of targets) {
      const begin = place.get(target);
      if (begin === undefined || begin > end) continue;
      const lines = blocks.slice(begin, end + 1).flatMap(({ lines }) => lines);
      const loop = { instructions: lines.length, multiplyAdds: lines.filter(isMultiplyAdd).length };
      const shorter = loop.instructions < best.instructions;
      if (loop.multiplyAdds > best.multiplyAdds || (loop.multiplyAdds === best.multiplyAdds && shorter))
        best = loop;
    }
  });
  return best;
}

interface Block {
  readonly name: string;
  readonly lines: readonly string[];
  /** Blocks that it branches to. */
  readonly targets: readonly string[];
}

function blocksOf(text: string): Block[] {
  return text
    .split(/^(?=BB\d+:)/m)
    .slice(1)
    .map((block) => {
      const lines = block.split("\n").filter((line) => /^\t[a-z]+_/.test(line));
      const targets = lines.flatMap((line) => line.match(/\bs_c?branch\S*\s+(BB\d+)/)?.[1] ?? []);
      return { name: block.slice(0, block.indexOf(":")), lines, targets };
    });
}

const isMultiplyAdd = (line: string): boolean => /^\tv_(?:pk_)?fma/.test(line);
