/** The fragment of a link that carries a code: browsers send it to no server. */
const CODE = /^#code=([A-Za-z0-9_-]{22})$/;

export const linkOf = (server: string, code: string): string => `${server}/#code=${code}`;

/** The code that this page was opened with, taken out of its address, so that it is in no bookmark and no reload. */
export function takeCode(): string | undefined {
  const code = CODE.exec(location.hash)?.[1];
  if (code !== undefined) history.replaceState(history.state, "", location.pathname + location.search);
  return code;
}
