import { formatBytes, formatLarge, formatProbability } from "../../../ui/format.ts";
import type { FrameWords } from "./en.ts";

export const words: FrameWords = {
  title: (run, operator, host) =>
    `Hilfst du, „${run}“ zu trainieren, für ${operator === "" ? host : `${operator} (${host})`}?`,
  text: (share, parameters, tokenBudget, audits = false) =>
    `Ein Sprachmodell mit ${formatLarge(parameters)} Parametern trainiert in diesem Kasten, solange diese Seite offen ist, etwa ` +
    `${formatProbability(share)} der Zeit dieses Geräts, bis es aus ${formatLarge(tokenBudget)} Token gelernt hat. Dein Browser ` +
    "sendet Änderungen an seinen Gewichten, mit einem zufälligen Schlüssel, ihrem Verlust, der Art des Geräts und der Adresse " +
    "dieser Website. Er sendet nie deine Dateien, noch was du hier tust. Der Server sieht deine Internetadresse." +
    (audits
      ? " Ab und zu prüft es die Änderung am Modell, die jemand anderes geschickt hat, ohne zu erfahren, wer das war."
      : ""),
  budget: (budget, down) =>
    ` Zu Anfang lädt es etwa ${formatBytes(down)} herunter` +
    (budget === null ? "." : ` und hört bei ${formatBytes(budget)} Datenverkehr am Tag auf.`),
  licence: (licence) => ` Lizenz des Modells: ${licence}.`,
  agree: "Ja, mitmachen",
  refuse: "Nein danke",
  asking: "Die Besucherin oder der Besucher wird gefragt.",
  revoke: "Mich vergessen",
  ask: "Das Modell ausprobieren",
  about: "Was ist das?",
};
