import { fstatSync, openSync, readSync, writeSync } from "node:fs";
import { messageOf } from "../../model/lib/message-of.ts";
import { systemCode } from "../../model/lib/system-code.ts";
import { CorpusError } from "./error.ts";
import { MAX_LINE } from "./lines.ts";
import { type ParquetBytes, type ParquetPage, readParquet } from "./parquet-file.ts";
import { type FromParquetProcess, TEXTS_FD } from "./parquet-messages.ts";

/** The thread of parquet-process.ts that reads: what it finds goes to {@link TEXTS_FD}. */

/** Bytes of lines that are written at once. */
const WRITTEN = 64 * 1024;
/** Bytes of one row's text: JSON makes up to six characters of a byte, and a line has a bound. */
const MAX_ROW_BYTES = MAX_LINE / 8;

const [, , file = "", name = "", column = ""] = process.argv;

let lines = "";

function say(message: FromParquetProcess): void {
  lines += `${JSON.stringify(message)}\n`;
  if (lines.length >= WRITTEN) flush();
}

function flush(): void {
  const bytes = Buffer.from(lines);
  lines = "";
  for (let at = 0; at < bytes.length; ) at += writeSync(TEXTS_FD, bytes, at); // waits while the reader has enough
}

try {
  for (const page of readParquet(openFile(file), name, column)) sayPage(page);
  say({ type: "end" });
} catch (error) {
  if (!(error instanceof CorpusError)) throw error;
  say({ type: "failed", code: error.code, message: error.message });
}
flush();

function sayPage({ row, texts, end }: ParquetPage): void {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  for (const [i, bytes] of texts.entries()) {
    const where = `${name}, row ${row + i + 1}`;
    if (bytes === null) say({ type: "null", row: row + i + 1 });
    else if (bytes.length > MAX_ROW_BYTES) {
      throw new CorpusError("too-large", `${where} has a text of over ${MAX_ROW_BYTES} bytes`);
    } else {
      try {
        say(utf8.decode(bytes));
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        throw new CorpusError("not-utf8", `${where}: "${column}" is not UTF-8`);
      }
    }
  }
  say({ type: "progress", at: end });
}

function openFile(path: string): ParquetBytes {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw new CorpusError("unreadable", `${name} cannot be read (${systemCode(error) ?? messageOf(error)})`);
  }
  return {
    size: fstatSync(fd).size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const read = readSync(fd, bytes, at, length - at, offset + at);
        if (read === 0) throw new CorpusError("unreadable", `${name} became shorter while it was read`);
        at += read;
      }
      return bytes;
    },
  };
}
