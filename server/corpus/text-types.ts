/** How the names of files end that are read. */
export const TEXT_TYPE = /\.(?:(?<lines>txt|md|jsonl)(?<gzip>\.gz)?|parquet)$/i;

/** The same in words. */
export const TEXT_TYPES = "only .txt, .md, .jsonl (each also as .gz) and .parquet are read";
