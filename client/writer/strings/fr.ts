import { formatBytes } from "../../ui/format.ts";
import type { WriterWords } from "./en.ts";

export const words: WriterWords = {
  loading: (bytes, total) =>
    total === 0
      ? "Chargement du modèle…"
      : `Chargement du modèle\u00a0: ${formatBytes(bytes)} sur ${formatBytes(total)}…`,
  failed: "Le modèle n’a pas pu être chargé, ou n’a pas écrit.",
  retry: "Réessayer",
  prompt: "Vos mots",
  write: "Écrire",
  stop: "Arrêter",
  output: "Ce qu’il a écrit",
  writing: "Il écrit…",
  ask: "Essayer le modèle",
  askHelp: (bytes) =>
    `Écrivez un début, et le modèle continue, ici dans votre navigateur. Rien de ce que vous tapez ne quitte votre appareil. La première fois, au plus ${formatBytes(bytes)} sont téléchargés.`,
  back: "Retour",
};
