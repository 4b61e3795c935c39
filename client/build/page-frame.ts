import type { Plugin } from "vite";

/** What every page of a script has around its own title, style, script and words for a browser without scripts. */
const framed = (head: string, noscript: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
${indented(head)}    <link rel="icon" href="./bird.svg" type="image/svg+xml" />
  </head>
  <body>
    <div id="page">
      <p class="unloaded">A part of this page has not come. Reload it; if that does not help, something between you and the server holds it back.</p>
    </div>
${indented(noscript)}  </body>
</html>
`;

const indented = (lines: string): string => lines.replace(/^(?=.)/gm, "    ");

/** A page as it is served: with the frame around it, unless it has one of its own. */
export function framePage(html: string): string {
  if (html.startsWith("<!doctype")) return html;
  const at = html.indexOf("<noscript>");
  return at === -1 ? framed(html, "") : framed(html.slice(0, at), html.slice(at));
}

/** Frames the pages of client/pages. */
export const pageFrame = (): Plugin => ({
  name: "murmuration-page-frame",
  transformIndexHtml: { order: "pre", handler: framePage },
});
