import { asNumber, asObject, type Json } from "../../../protocol/guards.ts";
import { mount } from "../../ui/mount.ts";
import { MIN_SHARE } from "../../volunteer/session/choices.ts";
import { volunteerStrings } from "../../volunteer/strings.ts";
import type { FromFrame, Theme } from "../messages.ts";
import { FrameApp } from "./app.tsx";
import { createGuest, type Guest, type SiteWishes } from "./guest.ts";
import { frameStrings } from "./strings.ts";

/**
 * The volunteer within another site's page. It asks here, in a frame that the site cannot reach into: no word
 * of the site's begins training, only a click in this document does. The site may pause it and end it.
 */
let guest: Guest | undefined;

function open(wishes: SiteWishes, theme: Theme, language?: string): void {
  if (guest !== undefined) return;
  if (theme !== "auto") document.documentElement.dataset.theme = theme;
  guest = createGuest(wishes, (message) => tell(message, wishes.host));
  mount(<FrameApp guest={guest} host={location.host} />, [volunteerStrings, frameStrings], language).catch(
    () => tell({ murmuration: 1, type: "stopped" }, wishes.host),
  );
}

function tell(message: FromFrame, to: string): void {
  if (parent !== window && to !== "") parent.postMessage(message, to);
}

addEventListener("message", (event) => {
  if (parent === window || event.source !== parent) return;
  try {
    hear(asObject(event.data, "message"), event.origin);
  } catch {
    // not the loader's message
  }
});

function hear(message: Json, host: string): void {
  if (message.murmuration !== 1) return;
  if (message.type === "setup")
    open(readWishes(message, host), readTheme(message.theme), readLanguage(message.language));
  else if (message.type === "resume") guest?.hold(false);
  else if (message.type === "pause") guest?.hold(true);
  else if (message.type === "stop") guest?.stop();
  else if (message.type === "revoke") void guest?.revoke();
}

const readTheme = (theme: unknown): Theme => (theme === "light" || theme === "dark" ? theme : "auto");

/** Of a site that has a loader of before there were languages, nothing. */
const readLanguage = (tag: unknown): string | undefined => (typeof tag === "string" ? tag : undefined);

const readWishes = ({ share, budget, ask }: Json, host: string): SiteWishes => ({
  host,
  share: asNumber(share, "share", MIN_SHARE, 1),
  budget: budget === null ? null : asNumber(budget, "budget", 0, Number.MAX_SAFE_INTEGER),
  ask: ask === "now" || ask === "offered" ? ask : undefined,
});

if (parent === window) open({ host: "", share: 0.25, budget: null, ask: undefined }, "auto");
// The first word goes to whoever frames this page, and tells them nothing.
else parent.postMessage({ murmuration: 1, type: "ready" } satisfies FromFrame, "*");
