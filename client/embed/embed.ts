import { defineSwarm } from "./element.ts";
import { ownTag, place } from "./place.ts";

/**
 * The loader: `<script defer src="https://SERVER/embed.js" data-…>` defines `<murmuration-swarm>` and puts one
 * where it stands, with its own data attributes, unless the page has placed one itself.
 */
const tag = ownTag(document);
if (tag === undefined)
  console.error("murmuration: no button, since embed.js found no <script> tag with its address");
else if (!("customElements" in window))
  console.error("murmuration: no button, since this browser is too old");
else {
  defineSwarm(new URL(".", tag.src).href);
  place(tag);
}
