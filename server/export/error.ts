/** An export that cannot be made, told in one line. */
export class ExportError extends Error {
  override readonly name = "ExportError";
}
