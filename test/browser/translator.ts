import type { Page } from "playwright-core";

/**
 * Does to a page what a browser's translator does: every text node goes, and two `<font>` elements with other words come in
 * its place; what is written later is translated as it comes. `«words»` stands for the words in another language.
 */
export async function translate(page: Page, root = page.mainFrame()): Promise<void> {
  await root.evaluate(() => {
    const change = () => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found: Text[] = [];
      while (walker.nextNode()) {
        const node = walker.currentNode;
        if (!(node instanceof Text) || node.data.trim() === "") continue;
        if (node.parentElement?.closest("font, script, style, textarea, [translate=no]") === null)
          found.push(node);
      }
      for (const node of found) {
        const outer = document.createElement("font");
        const inner = document.createElement("font");
        inner.textContent = `«${node.data}»`;
        outer.append(inner);
        node.replaceWith(outer);
      }
    };
    new MutationObserver(change).observe(document.body, {
      childList: true,
      subtree: true,
      characterData: true,
    });
    change();
  });
}
