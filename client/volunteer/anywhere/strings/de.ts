import type { AnywhereWords } from "./en.ts";

export const words: AnywhereWords = {
  title: "Wo du am meisten hilfst",
  chosen: "Der Server hat diesen Lauf gewählt: Hier hilft ein weiterer Browser gerade am meisten.",
  movedFrom: (run) =>
    `Der Server hat dich von „${run}“ hierher gebracht: Hier hilft ein weiterer Browser gerade am meisten.`,
  on: "Du hast zugestimmt, da zu helfen, wo du am meisten hilfst: Zwischen zwei Arbeiten kann der Server dich zu einem anderen Lauf bringen.",
  end: "Von jetzt an hier bleiben",
  ended: "Du bleibst hier. Andere Läufe dieses Servers fragen dich wieder.",
  lobby: "Alle Läufe dieses Servers",
};
