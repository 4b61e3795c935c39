/** The page's localStorage, or undefined where reading the property alone throws (blocked third-party data). */
export function browserStorage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
