import type { FromFrame, SwarmElement, SwarmEvents, SwarmStatus, ToFrame } from "./messages.ts";
import { setupOf } from "./setup.ts";
import { buttonWords } from "./strings.ts";
import { sheet } from "./style.ts";

/** Milliseconds a frame has to speak; after that something blocks it. */
const READY_MS = 10_000;
/** Milliseconds the same frame has from when the browser reports that it loaded. */
const SPEAK_MS = 2_000;

const IDLE: SwarmStatus = { state: "idle", line: "", loss: null, sent: 0, merged: 0 };
type Blocked = SwarmEvents["blocked"]["reason"];
const PROTOCOL = { murmuration: 1 } as const;

/**
 * Defines `<murmuration-swarm>`: a box of fixed size with a button. Nothing is fetched before the button is
 * pressed or {@link SwarmElement.start} is called; then a frame from `server` asks the visitor and trains. The
 * host page cannot read the frame, nor agree in the visitor's place, nor can the frame read the page.
 * Attributes: `label`, `ask` (no), `lang` (the visitor's), `theme` (auto), `share` (0.25), `budget` (no bound, e.g. "50MB"). Calling it twice is fine.
 * `server` is an address as in the browser's bar: an origin, and the path under which a proxy serves it.
 */
export function defineSwarm(server: string): void {
  if (customElements.get("murmuration-swarm") !== undefined) return;
  const { origin, host, pathname } = new URL(server);
  const frameAddress = `${origin}${pathname.replace(/\/+$/, "")}/frame`;

  class Swarm extends HTMLElement implements SwarmElement {
    readonly #root = this.attachShadow({ mode: "open" });
    #frame: HTMLIFrameElement | undefined;
    #listening = new AbortController();
    #status = IDLE;
    #paused = false;
    #revoked: (() => void) | undefined;
    #blocked = false;
    /** Whether the box was opened to have the model write. */
    #asks = false;
    /** Whether the frame is to be open whenever the element stands in a document. */
    #wanted = false;

    connectedCallback(): void {
      const style = new CSSStyleSheet();
      style.replaceSync(sheet); // a constructed sheet needs no style-src of the host's policy
      this.#root.adoptedStyleSheets = [style];
      const unfit = unfitPage();
      if (unfit !== undefined) this.#block(unfit);
      else if (this.#wanted) this.#open();
      else this.#offer("");
    }

    /** A frame ends with its place in the document. One that was open opens again where the element is put next. */
    disconnectedCallback(): void {
      this.#close();
      this.#revoked?.();
      if (this.#wanted) this.#enter("idle");
    }

    start(): void {
      this.#paused = false;
      this.#wanted = true;
      if (!this.isConnected) return;
      if (this.#frame === undefined) this.#open().focus();
      else this.#tell({ ...PROTOCOL, type: "resume" });
    }

    pause(): void {
      this.#paused = true;
      this.#tell({ ...PROTOCOL, type: "pause" });
    }

    stop(): void {
      this.#wanted &&= this.isConnected; // an open frame answers when it has stopped
      this.#tell({ ...PROTOCOL, type: "stop" });
    }

    revoke(): Promise<void> {
      return new Promise((resolve) => {
        this.#revoked = () => {
          this.#revoked = undefined;
          resolve();
        };
        this.#wanted = false;
        if (!this.isConnected) this.#revoked();
        else if (this.#frame === undefined) this.#open();
        else this.#tell({ ...PROTOCOL, type: "revoke" });
      });
    }

    status(): SwarmStatus {
      return this.#status;
    }

    /** The button, and under it whose it is or what went wrong. */
    #offer(line: string): void {
      const hadFocus = this.#frame !== undefined && document.activeElement === this;
      this.#close();
      const [tag, words] = this.#words();
      const open = document.createElement("button");
      open.textContent = this.getAttribute("label") || words.label;
      open.addEventListener("click", () => this.start());
      const note = document.createElement("p");
      note.textContent = line || words.note(host);
      const box = document.createElement("div");
      box.lang = tag;
      box.append(birds(), open);
      if (this.hasAttribute("ask")) {
        const ask = document.createElement("button");
        ask.className = "quiet";
        ask.textContent = words.ask;
        ask.addEventListener("click", () => {
          this.#asks = true;
          this.start();
        });
        box.append(ask);
      }
      box.append(note);
      this.#root.replaceChildren(box);
      if (hadFocus) open.focus();
    }

    #words() {
      return buttonWords(this.getAttribute("lang"));
    }

    #open(): HTMLElement {
      const unfit = unfitPage();
      if (unfit !== undefined) {
        this.#block(unfit);
        return this;
      }
      const frame = document.createElement("iframe");
      frame.title = this.getAttribute("label") || this.#words()[1].label;
      // Scripts and the server's own origin (for its cache and key); popups only for the link that explains.
      frame.setAttribute(
        "sandbox",
        "allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox",
      );
      frame.allow = "compute-pressure; battery";
      frame.referrerPolicy = "origin";
      frame.src = frameAddress;
      this.#listening = new AbortController();
      const { signal } = this.#listening;
      let timer = setTimeout(() => this.#block("timeout"), READY_MS);
      signal.addEventListener("abort", () => clearTimeout(timer));
      frame.addEventListener("load", () => {
        clearTimeout(timer);
        timer = setTimeout(() => this.#block("timeout"), SPEAK_MS);
      });
      document.addEventListener(
        "securitypolicyviolation",
        ({ blockedURI }) => blockedURI.startsWith(origin) && this.#block("policy"),
        { signal },
      );
      addEventListener(
        "message",
        ({ origin: from, source, data }) => {
          if (from !== origin || source !== frame.contentWindow) return;
          clearTimeout(timer);
          this.#hear(data); // our own page, by the line above
        },
        { signal },
      );
      this.#frame = frame;
      this.#root.replaceChildren(frame);
      return frame;
    }

    #hear(message: FromFrame): void {
      switch (message.type) {
        case "ready":
          this.#tell({ ...PROTOCOL, ...setupOf(this, this.#asks ? "now" : "offered") });
          this.#asks = false;
          if (this.#paused) this.pause();
          if (this.#revoked !== undefined) this.#tell({ ...PROTOCOL, type: "revoke" });
          break;
        case "revoked":
          this.#wanted = false;
          this.#say("consent", { given: false });
          this.#status = IDLE;
          this.#offer("");
          this.#revoked?.();
          break;
        case "stopped":
          this.#wanted = false;
          this.#offer("");
          this.#enter("stopped");
          break;
        case "consent":
          this.#say("consent", { given: message.given });
          break;
        case "error":
          this.#say("error", { detail: message.detail });
          break;
        case "state":
          this.#enter(message.state, message.line);
          break;
        case "step": {
          const { step, steps, loss } = message;
          this.#status = { ...this.#status, loss };
          this.#say("step", { step, steps, loss });
          break;
        }
        case "credit": {
          const { sent, merged } = message;
          this.#status = { ...this.#status, sent, merged };
          this.#say("credit", { sent, merged });
          break;
        }
      }
    }

    #enter(state: string, line = ""): void {
      this.#status = { ...this.#status, state, line };
      this.#say("state", { state, line });
    }

    #tell(message: ToFrame): void {
      this.#frame?.contentWindow?.postMessage(message, origin);
    }

    /** Events do not bubble: an `error` that did would reach the page's own error handlers. */
    #say<K extends keyof SwarmEvents>(name: K, detail: SwarmEvents[K]): void {
      this.dispatchEvent(new CustomEvent(name, { detail }));
    }

    #block(reason: Blocked): void {
      const [, words] = this.#words();
      this.#offer(reason === "insecure" || reason === "sandboxed" ? words[reason] : words.blocked);
      this.#status = { ...IDLE, state: "blocked" };
      this.#wanted = false;
      this.#revoked?.();
      if (!this.#blocked) this.#say("blocked", { reason });
      this.#blocked = true;
    }

    #close(): void {
      this.#listening.abort();
      this.#frame = undefined;
      this.#root.replaceChildren();
    }
  }

  customElements.define("murmuration-swarm", Swarm);
}

/**
 * Why no frame can train on this page. A sandbox without `allow-same-origin` passes on to the frame: there it has no origin,
 * hence neither storage nor an address that messages could be sent to.
 */
function unfitPage(): Blocked | undefined {
  if (!isSecureContext) return "insecure";
  if (self.origin !== "null") return undefined;
  console.error("murmuration: this page has no origin: a sandboxed frame needs allow-same-origin");
  return "sandboxed";
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
