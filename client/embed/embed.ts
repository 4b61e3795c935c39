import { defineSwarm } from "./element.ts";

/**
 * The loader: `<script defer src="https://SERVER/embed.js" data-…>` defines `<murmuration-swarm>` and puts one
 * where it stands, with its own data attributes, unless the page has placed one itself.
 */
const script = document.currentScript;
if (script instanceof HTMLScriptElement) {
  defineSwarm(new URL(".", script.src).href);
  if (document.querySelector("murmuration-swarm") === null) {
    const element = document.createElement("murmuration-swarm");
    for (const [name, value] of Object.entries(script.dataset)) element.setAttribute(name, value ?? "");
    script.after(element);
  }
}
