/**
 * Every bound that both sides know. Nothing is allocated on a stranger's word: each length in a message is
 * compared with one of these first.
 */

/** Milliseconds that a refusal may ask a sender to wait: a day. Whoever must wait longer is asked again. */
export const MAX_RETRY_AFTER_MS = 86_400_000;

/** Milliseconds that a request for work may wait for its turn (N6): many proxies give up on an answer after 60 s. */
export const MAX_TURN_MS = 45_000;

/** Parameters of the largest model a run may have: the six vectors of a trainer are all that WebAssembly's 4 GiB hold. */
export const MAX_PARAMETERS = 160 * 1024 * 1024;

/** Tokens of a vocabulary, at least: the 256 bytes of a byte-level tokenizer. */
export const MIN_VOCABULARY = 256;
export const MAX_VOCABULARY = 65_536;

/**
 * Bytes of tokenizer.json: three times what the largest vocabularies in use need at {@link MAX_VOCABULARY} tokens. The
 * size depends on merges and added tokens as well as on the vocabulary.
 */
export const MAX_TOKENIZER_BYTES = 16 * 1024 * 1024;

/** Inner steps of one ticket. Runs use 3 to 30; benches use more. */
export const MAX_STEPS = 1_000;

/** Sequences in one micro-batch. */
export const MAX_BATCH = 1_024;

/** Tokens in one shard: 1 MiB of u16, so that a phone has it in seconds. */
export const MAX_SHARD_TOKENS = 512 * 1024;

/** Bytes of a snapshot's header: about 110 a tensor, and at most 1,156 tensors. */
export const MAX_SNAPSHOT_HEADER = 256 * 1024;

/** Bytes of the largest thing that is passed on in chunks: a snapshot of the largest model. */
export const MAX_OBJECT_BYTES = 4 * MAX_PARAMETERS + MAX_SNAPSHOT_HEADER;
/** Bytes of a chunk list: some 70 for each of at most 10,300 chunks. */
export const MAX_LIST_BYTES = 1024 * 1024;

/** Bytes of the JSON envelope before an upload's frame (a ticket with 1,000 learning rates is about 22 KiB). */
export const MAX_ENVELOPE_BYTES = 64 * 1024;

/** Bytes of any JSON request body. */
export const MAX_JSON_BYTES = 16 * 1024;

/** Bytes of an auditor's answer: nine numbers and their names. */
export const MAX_AUDIT_BYTES = 1_024;

/**
 * Nats a token that a message may report as a loss: far above any useful model (guessing among 65,536 tokens costs
 * 11.1). Readers refuse more, so a sender that measures more reports this.
 */
export const MAX_LOSS = 1e6;

/** Prompts of the operator's that every measured version goes on from, and characters of each. */
export const MAX_PROMPTS = 4;
export const MAX_PROMPT_CHARS = 200;
/** Characters of what a version writes on from one: it travels in events and in the run's status. */
export const MAX_WRITTEN_CHARS = 300;
/** Characters of a sample. */
export const MAX_SAMPLE_CHARS = 2_000;

/** Characters of a run's name and of any label a volunteer sends (device, browser). */
export const MAX_LABEL = 80;

/** Bytes of a Parquet file's footer: 1 KiB for each of 16,384 chunks of columns. Its reader makes some ten times that of them. */
export const MAX_PARQUET_FOOTER_BYTES = 16 * 1024 * 1024;
/** Bytes of a page's header in it, and of a page before and after unpacking: writers end a page after 1 MiB or 1,024 texts. */
export const MAX_PARQUET_HEADER_BYTES = 1024 * 1024;
export const MAX_PARQUET_PAGE_BYTES = 256 * 1024 * 1024;
/** Rows of one page: some 150 bytes of memory each, and writers end a page after 20,000 or 1 MiB. */
export const MAX_PARQUET_PAGE_ROWS = 1024 * 1024;
