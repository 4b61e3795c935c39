import { formatCount, formatLarge } from "../../../ui/format.ts";
import type { PeopleWords } from "./en.ts";

export const words: PeopleWords = {
  leaders: "Voluntarios con nombre",
  leadersHelp:
    "La mayoría de los voluntarios no tiene nombre. Estos eligieron uno, y pueden quitarlo cuando quieran.",
  nobody: "Nadie ha elegido un nombre todavía.",
  columns: ["Nombre", "Tokens", "Último día"],
  tokens: formatLarge,
  loading: "Preguntando al servidor…",
  name: "Tu nombre",
  nameHelp:
    "No tienes ninguno si no lo eliges. Lo ve quien abra esta página, junto con cuánto de tu trabajo está en el modelo. Como mucho " +
    "32 caracteres.",
  save: "Mostrar este nombre",
  remove: "Quitar mi nombre",
  named: (name) => `Apareces en la lista como ${name}.`,
  page: "Dame también una página que cualquiera pueda abrir. Muestra lo que aporté, con pruebas que nombran mis claves aleatorias",
  paged: " En la lista lleva a tu página, cuya dirección puedes compartir.",
  unnamed: "No apareces en ninguna lista.",
  refused: (why) => `El servidor no lo aceptó: ${why}.`,
  badName: "no tiene ni letras ni cifras, es demasiado largo, o contiene caracteres invisibles",
  failed: "El servidor no respondió. No se cambió nada.",
  noKey:
    "Este navegador no tiene ninguna clave de este proyecto, así que aquí no hay nada que pueda ser tuyo. La clave se crea cuando " +
    "entrenas por primera vez.",
  teams: "Equipos",
  teamsHelp:
    "Un equipo es un nombre que reúne a personas, y la suma de lo que dieron. Cualquiera puede crear uno o unirse.",
  teamName: "Nombre de un equipo",
  teamJoin: "Unirme a este equipo",
  teamLeave: "Dejar mi equipo",
  teamJoined: (name) => `Estás en el equipo ${name}.`,
  teamLeft: "No estás en ningún equipo.",
  key: "Tu clave",
  keyHelp:
    "Tu crédito y tu nombre pertenecen a una clave aleatoria que creó este navegador. Guárdala en un archivo, cerrada con una frase " +
    "de contraseña. Así podrás usarla en otro navegador o en otro dispositivo. Quien tenga el archivo y la frase puede trabajar con " +
    "tu nombre. Nadie puede restablecer la frase.",
  passphrase: "Frase de contraseña, 8 caracteres o más",
  keySave: "Guardar mi clave en un archivo",
  keySaved: "Está en tus descargas. Guarda la frase de contraseña en otro lugar.",
  keyFile: "Un archivo que guardó otro navegador",
  keyTake: "Usar aquí la clave de este archivo",
  keyOpening: "Abriendo el archivo…",
  keyTaken:
    "Este navegador tiene ahora esa clave, en lugar de la suya. Empieza a entrenar para seguir con ella.",
  addUp: "Contar junto con ella lo que aportó la clave de este navegador",
  keysLinked: (keys, tokens) =>
    `Este navegador tiene ahora esa clave. Desde ahora ${formatCount(keys)} claves tuyas cuentan como las de una persona: ` +
    `${formatLarge(tokens)} tokens.`,
  unlink: "Contar esta clave por separado…",
  unlinkText:
    "Su trabajo ya no contará junto con el de tus otras claves. Esas siguen vinculadas entre sí. Para volver a vincular esta clave necesitas dos de las claves en un mismo navegador.",
  unlinkYes: "Sí, contarla por separado",
  unlinked: "Esta clave cuenta por separado desde ahora.",
  code: "Tu clave en otro dispositivo",
  codeHelp:
    "Muestra aquí un código. En el otro dispositivo, escanéalo o abre su enlace: tu clave va allí, y el servidor no puede leerla. Un " +
    "código vale una vez, durante dos minutos. No se lo enseñes a nadie más.",
  codeShow: "Mostrar un código",
  codePicture: "Un código QR del enlace de abajo",
  codeLeft: (seconds) => `Vale ${formatCount(seconds)} s más. Deja esta página abierta.`,
  codeCompare: "Otra página ha leído el código. Envíale tu clave solo si muestra el mismo número:",
  codeSend: "Sí, enviar mi clave",
  codeRefuse: "No",
  codeRead: "Un código que muestra otro dispositivo tuyo, o su enlace",
  codeTake: "Tomar la clave de ese dispositivo",
  codeKnocks: "Preguntando al otro dispositivo…",
  codeWait: "Si el otro dispositivo muestra el mismo número, acepta ahora allí:",
  codeWrong:
    "Esto no es un código de este proyecto, o lo que llegó no es lo que se envió. Aquí no se cambió nada.",
  codeUsed:
    "Otra página ha usado este código. Si no fuiste tú, di No en el otro dispositivo y muestra un código nuevo.",
  codeEnded: {
    taken: "El otro dispositivo ya tiene tu clave. Los dos pueden trabajar con ella.",
    declined: "No se envió nada.",
    over: "Han pasado los dos minutos del código. Muestra uno nuevo.",
    stranger:
      "Una página que no ha leído el código pidió tu clave. No se envió nada. Muestra un código nuevo.",
  },
  keyFailed: "Este navegador no pudo hacerlo. No se cambió nada.",
  keyRefused: {
    "wrong-passphrase":
      "La frase de contraseña es incorrecta, o el archivo fue modificado. Aquí no se cambió nada.",
    "bad-key-file": "Esto no es un archivo de clave, o está dañado.",
    "other-run": "Este archivo contiene una clave de otro proyecto.",
    "not-exportable":
      "Este navegador creó su clave antes de que las claves se pudieran guardar, y ningún programa puede leerla. Aquí sigue " +
      "funcionando. Las claves creadas a partir de ahora sí se pueden guardar.",
  },
  data: "Tus datos",
  dataHelp:
    "El servidor te conoce por una clave aleatoria que creó este navegador. Aquí está lo que guarda sobre esa clave, y cómo " +
    "ponerle fin.",
  export: "Descargar lo que el servidor tiene sobre mí",
  exported: "Está en tus descargas.",
  remember: "Olvidarme…",
  forgetText:
    "El servidor borra tu nombre, tu crédito, tus vínculos y lo que recuerda de tu dispositivo, para todas las claves con las que " +
    "la tuya está vinculada. Este navegador borra tu clave, lo que elegiste y todas las descargas de este proyecto. El " +
    "entrenamiento se detiene. Lo que queda: el historial firmado de las versiones nombra tu clave aleatoria y las huellas de tus " +
    "deltas, y lo que enseñaron está en el modelo. No dice nada más sobre ti.",
  forget: "Sí, olvídame",
  keep: "No, conservar",
  forgotten: "Se te ha olvidado, aquí y allí. Si alguna vez vuelves a entrenar, será como alguien nuevo.",
};
