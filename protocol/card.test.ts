import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CARD_CHARS, CARD_KEYS, cardField, parseCard, type RunCard } from "./card.ts";

type Key = keyof RunCard;

describe("M3: a run's card", () => {
  it.each<[Key, string, string]>([
    ["purpose", "  To read \n aloud ", "To read aloud"],
    ["purpose", "<script>alert(1)</script> & **bold**", "<script>alert(1)</script> & **bold**"], // text, wherever it is shown
    ["description", " One\nline. \r\n\r\n\n Two. \n\n", "One line.\n\nTwo."],
    ["who", "می\u200cخواهم", "می\u200cخواهم"],
    ["language", "EN,de  fr", "en, de, fr"],
    ["link", "https://reeds.example", "https://reeds.example/"],
    ["link", "http://r\u0435eds.example/a b", "http://xn--reds-v4d.example/a%20b"], // a Cyrillic letter shows
    ["contact", "ann@reeds.example", "mailto:ann@reeds.example"],
    ["contact", "mailto:ann@reeds.example", "mailto:ann@reeds.example"],
    ["contact", "https://reeds.example/ann", "https://reeds.example/ann"],
    ["modelLicence", "", ""],
  ])("%s %j is kept as %j", (key, given, kept) => {
    expect(cardField(key, given)).toBe(kept);
    expect(cardField(key, kept)).toBe(kept);
  });

  it.each<[Key, unknown, string]>([
    ["purpose", "x".repeat(301), "at most 300"],
    ["purpose", "evil\u202eeman", "cannot be shown"],
    ["purpose", "zero\u200bwidth", "cannot be shown"],
    ["purpose", "a \u200d b", "cannot be shown"],
    ["purpose", "bell\u0007", "cannot be shown"],
    ["purpose", "\u0958".repeat(200), "more than 300"], // twice as long when composed
    ["description", "fine\n\nevil\u202eeman", "cannot be shown"],
    ["description", "x\n\n".repeat(21), "more than 20 paragraphs"],
    ["who", ["Ann"], "text of at most"],
    ["language", "english", "codes of languages"],
    ["language", "en, ".repeat(9).slice(0, 34), "codes of languages"],
    ["link", "javascript:alert(1)", "no address"],
    ["link", "java\tscript:alert(1)", "no address"],
    ["link", "data:text/html,x", "no address"],
    ["link", "mailto:ann@reeds.example", "no address"],
    ["link", "/path", "no address"],
    ["link", "https://bank.example@reeds.example/", "a user’s name"],
    ["link", `https://reeds.example/${"ä".repeat(100)}`, "more than 200"],
    ["contact", "ftp://reeds.example", "no address"],
    ["contact", "mailto:?bcc=everybody@reeds.example", "no address of mail"],
    ["contact", "mailto:a@b>", "no address of mail"],
  ])("%s %j is refused", (key, given, why) => {
    expect(() => cardField(key, given)).toThrow(expect.objectContaining({ code: "bad-request" }));
    expect(() => cardField(key, given)).toThrow(why);
  });

  it("is read field by field, without what is empty or of a later release", () => {
    expect(parseCard({ purpose: "To read", who: " ", mood: "good" })).toEqual({ purpose: "To read" });
    expect(() => parseCard({ purpose: 7 })).toThrow("card.purpose");
  });

  it("keeps whatever it takes the same when it is read again, and within its bound", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CARD_KEYS),
        fc.string({ unit: "binary", maxLength: 80 }),
        (key, given) => {
          let kept: string;
          try {
            kept = cardField(key, given);
          } catch {
            return;
          }
          expect(cardField(key, kept)).toBe(kept);
          expect(kept.length).toBeLessThanOrEqual(CARD_CHARS[key]);
        },
      ),
    );
  });
});
