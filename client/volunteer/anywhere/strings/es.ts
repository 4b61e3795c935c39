import type { AnywhereWords } from "./en.ts";

export const words: AnywhereWords = {
  title: "Donde más ayudas",
  chosen: "El servidor eligió este proyecto: aquí es donde más falta hace otro navegador en este momento.",
  movedFrom: (run) =>
    `El servidor te trajo aquí desde «${run}»: aquí es donde más falta hace otro navegador en este momento.`,
  on: "Aceptaste ayudar donde más ayudas: entre dos trabajos, el servidor puede llevarte a otro proyecto.",
  end: "Quedarme aquí desde ahora",
  ended: "Te quedas aquí. Los demás proyectos de este servidor te preguntarán otra vez.",
  lobby: "Todos los proyectos de este servidor",
};
