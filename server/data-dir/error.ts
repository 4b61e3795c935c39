/** A data directory that cannot be one. */
export class DirectoryError extends Error {
  override readonly name = "DirectoryError";
}

/** Another process serves the directory. */
export class LockedError extends Error {
  override readonly name = "LockedError";
}
