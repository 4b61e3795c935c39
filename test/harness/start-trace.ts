import { writeFileSync } from "node:fs";
import { registerHooks } from "node:module";

/**
 * Loaded into a process before anything else (`--import`): writes down which files it loads, and the processor time it
 * has taken once it prints the line that `START_TRACE_UNTIL` matches, or ends.
 */
const { START_TRACE: file = "", START_TRACE_UNTIL: line = "" } = process.env;
const loaded = new Set<string>();
let isWritten = false;

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    if (found.url.startsWith("file:")) loaded.add(found.url);
    return found;
  },
});

function write(): void {
  if (isWritten) return;
  isWritten = true;
  const { user, system } = process.cpuUsage(); // of all its threads
  writeFileSync(file, JSON.stringify({ loaded: [...loaded], processorMs: (user + system) / 1_000 }));
}

const print = process.stdout.write.bind(process.stdout);
process.stdout.write = ((...[text, ...rest]: Parameters<typeof print>) => {
  if (line !== "" && new RegExp(line).test(String(text))) write();
  return print(text, ...rest);
}) as typeof print;
process.on("exit", write);
