import { formatCount, formatLarge } from "../../../ui/format.ts";
import type { PeopleWords } from "./en.ts";

export const words: PeopleWords = {
  leaders: "Voluntários com nome",
  leadersHelp:
    "A maioria dos voluntários não tem nome. Estes escolheram um, e podem retirá-lo a qualquer momento.",
  nobody: "Ninguém escolheu um nome ainda.",
  columns: ["Nome", "Tokens", "Último dia"],
  tokens: formatLarge,
  loading: "Perguntando ao servidor…",
  name: "O seu nome",
  nameHelp:
    "Você não tem nenhum, a menos que escolha um. Quem abre esta página vê o nome, e quanto do seu trabalho está no modelo. No máximo " +
    "32 caracteres.",
  save: "Mostrar este nome",
  remove: "Retirar o meu nome",
  named: (name) => `Você está na lista como ${name}.`,
  unnamed: "Você não está em nenhuma lista.",
  refused: (why) => `O servidor não aceitou: ${why}.`,
  badName: "ele não tem letra nem número, é longo demais, ou contém caracteres que ninguém vê",
  failed: "O servidor não respondeu. Nada foi mudado.",
  noKey:
    "Este navegador não tem nenhuma chave deste projeto, então não há nada aqui que possa ser seu. A chave é criada quando você " +
    "treina pela primeira vez.",
  key: "A sua chave",
  keyHelp:
    "O seu crédito e o seu nome pertencem a uma chave aleatória que este navegador criou. Salve-a em um arquivo, trancada com uma " +
    "frase secreta, e outro navegador ou aparelho seu pode continuar com ela. Quem tiver o arquivo e a frase pode trabalhar, e usar " +
    "o seu nome, como se fosse você. Ninguém pode redefinir a frase.",
  passphrase: "Frase secreta, 8 caracteres ou mais",
  keySave: "Salvar a minha chave em um arquivo",
  keySaved: "Está nos seus downloads. Guarde a frase secreta em outro lugar.",
  keyFile: "Um arquivo que outro navegador salvou",
  keyTake: "Usar aqui a chave deste arquivo",
  keyOpening: "Abrindo o arquivo…",
  keyTaken: "Este navegador agora tem essa chave, no lugar da dele. Comece a treinar para continuar com ela.",
  addUp: "Contar junto com ela o que a chave deste navegador deu",
  keysLinked: (keys, tokens) =>
    `Este navegador agora tem essa chave. De agora em diante, ${formatCount(keys)} chaves suas contam como as de uma pessoa: ` +
    `${formatLarge(tokens)} tokens.`,
  keyFailed: "Este navegador não conseguiu fazer isso. Nada foi mudado.",
  keyRefused: {
    "wrong-passphrase": "A frase secreta está errada, ou o arquivo foi alterado. Nada foi mudado aqui.",
    "bad-key-file": "Isto não é um arquivo de chave, ou está danificado.",
    "other-run": "Este arquivo contém uma chave de outro projeto.",
    "not-exportable":
      "Este navegador criou a chave antes que chaves pudessem ser salvas, e nenhum programa consegue lê-la. Ela continua funcionando " +
      "aqui; uma chave criada a partir de agora pode ser salva.",
  },
  data: "Os seus dados",
  dataHelp:
    "O servidor conhece você por uma chave aleatória que este navegador criou. Aqui está o que ele guarda sobre essa chave, e como " +
    "acabar com isso.",
  export: "Baixar o que o servidor tem sobre mim",
  exported: "Está nos seus downloads.",
  remember: "Esquecer de mim…",
  forgetText:
    "O seu nome, o seu crédito, os seus vínculos e o que o servidor lembra do seu aparelho são apagados lá, para todas as chaves com " +
    "que a sua está vinculada; a sua chave, o que você escolheu e todos os downloads deste projeto são apagados aqui. O treinamento " +
    "para. O que fica: o histórico assinado das versões cita a sua chave aleatória e as impressões digitais dos seus deltas, e o que " +
    "eles ensinaram está no modelo. Ele não diz mais nada sobre você.",
  forget: "Sim, esqueça de mim",
  keep: "Não, manter",
  forgotten: "Você foi esquecido, aqui e lá. Se um dia treinar de novo, será como alguém novo.",
};
