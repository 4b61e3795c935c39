import { formatCount, formatPart, plural } from "../../../ui/format.ts";
import type { ProofWords } from "./en.ts";

export const words: ProofWords = {
  waiting: "Sobald deine Arbeit in einer Version des Modells steckt, erscheint hier der Beweis dafür.",
  proven: (version) => `Bewiesen: Deine Arbeit steckt in Version ${formatCount(version)}.`,
  meaning: ({ version, place, of, share }) =>
    `Der Server hat unterschrieben, dass Version ${formatCount(version)} aus ${plural(of, "Delta", "Deltas")} entstand und ` +
    `deines die Nummer ${formatCount(place)} ist, mit ${formatPart(share)} des Gewichts. Diese Seite hat die Unterschrift ` +
    "geprüft. Der Eintrag jeder Version nennt den davor, also kann der Server das nicht heimlich zurücknehmen.",
  delta: "Fingerabdruck deines Deltas (SHA-256):",
  record: (version) => `Der Eintrag von Version ${formatCount(version)}, wie unterschrieben`,
  broken:
    "Der Beweis des Servers für deine Arbeit hielt nicht: Seine Unterschrift ist nicht die, mit der dieser Lauf begann, oder " +
    "er nennt andere Arbeit als deine. Vielleicht möchtest du aufhören.",
};
