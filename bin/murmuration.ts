#!/usr/bin/env node
// Every Node reads this file, also one that knows neither TypeScript nor modules: so it stays plain CommonJS
// JavaScript (bin/package.json says so), without types, and loads the program only where it can run.
const MIN_NODE = 24; // package.json's "engines"

const { node } = process.versions;
if (Number(node.split(".")[0]) < MIN_NODE) {
  process.stderr.write(
    `murmuration: this is Node ${node}, and Murmuration needs Node ${MIN_NODE} or newer. ` +
      "In a clone, `npm ci` installs one that `npm start` and `npm run murmuration` use.\n",
  );
  process.exitCode = 1;
} else {
  // In a clone two thirds of a start go into compiling TypeScript: what came of it is kept, as the tests keep it.
  if (__filename.endsWith(".ts")) {
    process.getBuiltinModule("node:module").enableCompileCache(`${__dirname}/../node_modules/.cache/node`);
  }
  import("./program.mts");
}
