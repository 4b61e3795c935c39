/** `https://blog.example` of what a person types, or undefined where that names no site. */
export function asOrigin(typed: string): string | undefined {
  const trimmed = typed.trim();
  if (trimmed === "") return undefined;
  const url = URL.parse(/^https?:\/\//.test(trimmed) ? trimmed : `https://${trimmed}`);
  // A host may hold a ";" to a URL, and to a policy that would begin another directive.
  return url !== null && /^https?:\/\/[\w.[\]:-]+$/.test(url.origin) ? url.origin : undefined;
}
