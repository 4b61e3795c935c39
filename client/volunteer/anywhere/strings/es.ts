import type { AnywhereWords } from "./en.ts";

export const words: AnywhereWords = {
  title: "Donde más ayudas",
  chosen: "El servidor eligió este entrenamiento: un navegador más ayuda más aquí en este momento.",
  movedFrom: (run) =>
    `El servidor te trajo aquí desde «${run}»: un navegador más ayuda más aquí en este momento.`,
  on: "Ayudas donde más ayudas: entre dos trabajos, el servidor puede llevarte a otro entrenamiento.",
  end: "Quedarme aquí desde ahora",
  ended: "Te quedas aquí. Los demás entrenamientos de este servidor te preguntarán otra vez.",
  lobby: "Todos los entrenamientos de este servidor",
};
