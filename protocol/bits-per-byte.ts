/**
 * A loss as bits for each byte of text, which compares between vocabularies: nats a token ÷ (ln 2 · bytes a token). A page
 * that knows no bytes has no such number.
 */
export function bitsPerByte(nats: number, bytesPerToken: number | null): number | undefined {
  return bytesPerToken === null ? undefined : nats / (Math.LN2 * bytesPerToken);
}
