import type { FromFrame, Theme, ToFrame } from "./messages.ts";
import { sheet } from "./style.ts";

/**
 * The loader: `<script defer src="https://SERVER/embed.js" data-label data-theme data-share>` puts a button
 * where it stands. It asks before anything runs, and fetches nothing before the visitor says yes; then the
 * volunteer comes in a frame from the script's own origin, which the host page cannot read and which cannot
 * read the host page. Button, question and frame fill the same box, so nothing on the page moves.
 */
function mount(script: HTMLScriptElement): void {
  const server = new URL(script.src).origin;
  const label = script.dataset.label ?? "Help train a language model";
  const theme = readTheme(script.dataset.theme);
  const share = readShare(script.dataset.share);

  const host = document.createElement("murmuration-embed");
  if (theme !== "auto") host.dataset.theme = theme;
  const root = host.attachShadow({ mode: "open" });
  const style = new CSSStyleSheet();
  style.replaceSync(sheet); // a constructed sheet needs no style-src of the host's policy
  root.adoptedStyleSheets = [style];
  script.after(host);

  let listening = new AbortController();

  function show(...children: Node[]) {
    listening.abort();
    listening = new AbortController();
    root.replaceChildren(...children);
  }

  function offer(focus: boolean) {
    const open = button(label, "primary", ask);
    const line = element("p", `Runs in your browser, for ${new URL(server).host}. It asks first.`);
    show(box("offer", birds(), open, line));
    if (focus) open.focus();
  }

  function ask() {
    const yes = button("Yes, help train", "primary", begin);
    const panel = box(
      "ask",
      element(
        "p",
        `A small language model would train here, on about ${Math.round(share * 100)}% of this device’s time, while ` +
          "this page is open.",
      ),
      element(
        "p",
        `Changes to its weights go to ${new URL(server).host}, which sees your internet address; never your files. ` +
          "You can stop at any time.",
      ),
      box(
        "buttons",
        yes,
        button("No thanks", "", () => offer(true)),
      ),
    );
    panel.setAttribute("role", "group");
    panel.setAttribute("aria-label", label);
    show(panel);
    yes.focus();
  }

  function begin() {
    const frame = document.createElement("iframe");
    frame.title = label;
    // Scripts and the server's own origin (for its cache and key); popups only for the link that explains.
    frame.setAttribute(
      "sandbox",
      "allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox",
    );
    frame.referrerPolicy = "origin";
    frame.src = `${server}/frame`;
    show(frame);
    const { signal } = listening;
    addEventListener(
      "message",
      (event) => {
        if (event.origin !== server || event.source !== frame.contentWindow) return;
        const message: FromFrame = event.data; // our own page, by the line above
        if (message.type === "ready") {
          const answer: ToFrame = { murmuration: 1, type: "begin", share, theme };
          frame.contentWindow?.postMessage(answer, server);
        } else if (message.type === "stopped") {
          offer(false);
        }
        host.dispatchEvent(new CustomEvent("murmuration", { detail: message, bubbles: true }));
      },
      { signal },
    );
    frame.focus();
  }

  offer(false);
}

function readTheme(theme: string | undefined): Theme {
  return theme === "light" || theme === "dark" ? theme : "auto";
}

/** Part of the time to train. A quarter unless the site says otherwise: its visitors came for something else. */
function readShare(text: string | undefined): number {
  const share = Number(text ?? 0.25);
  return share >= 0.1 && share <= 1 ? share : 0.25;
}

function element(tag: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/** Three birds, made node by node: host pages may forbid markup from strings. */
function birds(): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 88 36");
  svg.setAttribute("aria-hidden", "true");
  for (const at of ["8 12", "34 2", "58 16"]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", `M${at}q7-2 11 6 4-8 11-6-8 2-11 10-3-8-11-10z`);
    svg.append(path);
  }
  return svg;
}

function button(text: string, kind: string, onClick: () => void): HTMLElement {
  const made = element("button", text);
  made.className = kind;
  made.addEventListener("click", onClick);
  return made;
}

function box(kind: string, ...children: Node[]): HTMLElement {
  const made = document.createElement("div");
  made.className = kind;
  made.append(...children);
  return made;
}

const script = document.currentScript;
if (script instanceof HTMLScriptElement && isSecureContext) mount(script);
else console.info("murmuration: training needs https, so there is no button on this page");
