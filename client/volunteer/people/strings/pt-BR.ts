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
  page: "Quero também uma página que qualquer pessoa possa abrir. Ela mostra o que eu dei, com provas que citam as minhas chaves aleatórias",
  paged: " Na lista ele leva à sua página, cujo endereço você pode compartilhar.",
  unnamed: "Você não está em nenhuma lista.",
  refused: (why) => `O servidor não aceitou: ${why}.`,
  badName: "ele não tem letra nem número, é longo demais, ou contém caracteres invisíveis",
  failed: "O servidor não respondeu. Nada foi mudado.",
  noKey:
    "Este navegador não tem nenhuma chave deste projeto, então não há nada aqui que possa ser seu. A chave é criada quando você " +
    "treina pela primeira vez.",
  teams: "Equipes",
  teamsHelp:
    "Uma equipe é um nome que reúne pessoas, e a soma do que elas deram. Qualquer um pode criar uma ou entrar.",
  teamName: "Nome de uma equipe",
  teamJoin: "Entrar nesta equipe",
  teamLeave: "Sair da minha equipe",
  teamJoined: (name) => `Você está na equipe ${name}.`,
  teamLeft: "Você não está em nenhuma equipe.",
  key: "A sua chave",
  keyHelp:
    "O seu crédito e o seu nome pertencem a uma chave aleatória que este navegador criou. Salve-a em um arquivo, trancada com uma " +
    "frase secreta. Você pode então usá-la em outro navegador ou em outro aparelho. Quem tiver o arquivo e a frase pode trabalhar " +
    "com o seu nome. Ninguém pode redefinir a frase.",
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
  unlink: "Contar esta chave à parte…",
  unlinkText:
    "O trabalho dela deixa de contar junto com o das suas outras chaves. Essas continuam ligadas entre si. Para ligar esta chave de novo, você precisa de duas das chaves no mesmo navegador.",
  unlinkYes: "Sim, contar à parte",
  unlinked: "Esta chave conta à parte de agora em diante.",
  code: "A sua chave em outro aparelho",
  codeHelp:
    "Mostre um código aqui. No outro aparelho, leia-o com a câmera ou abra o link dele: a sua chave vai para lá, e o servidor não " +
    "consegue lê-la. Um código vale uma vez, por dois minutos. Não o mostre a mais ninguém.",
  codeShow: "Mostrar um código",
  codePicture: "Um código QR do link abaixo",
  codeLeft: (seconds) => `Vale por mais ${formatCount(seconds)} s. Deixe esta página aberta.`,
  codeCompare: "Outra página leu o código. Envie a sua chave a ela só se ela mostrar o mesmo número:",
  codeSend: "Sim, enviar a minha chave",
  codeRefuse: "Não",
  codeRead: "Um código que outro aparelho seu mostra, ou o link dele",
  codeTake: "Pegar a chave daquele aparelho",
  codeKnocks: "Perguntando ao outro aparelho…",
  codeWait: "Se o outro aparelho mostrar o mesmo número, aceite agora nele:",
  codeWrong:
    "Isto não é um código deste projeto, ou o que chegou não é o que foi enviado. Nada foi mudado aqui.",
  codeUsed:
    "Outra página usou este código. Se não foi você, diga Não no outro aparelho e mostre um código novo.",
  codeEnded: {
    taken: "O outro aparelho agora tem a sua chave. Os dois podem trabalhar com ela.",
    declined: "Nada foi enviado.",
    over: "Os dois minutos do código acabaram. Mostre um novo.",
    stranger: "Uma página que não leu o código pediu a sua chave. Nada foi enviado. Mostre um código novo.",
  },
  keyFailed: "Este navegador não conseguiu fazer isso. Nada foi mudado.",
  keyRefused: {
    "wrong-passphrase": "A frase secreta está errada, ou o arquivo foi alterado. Nada foi mudado aqui.",
    "bad-key-file": "Isto não é um arquivo de chave, ou está danificado.",
    "other-run": "Este arquivo contém uma chave de outro projeto.",
    "not-exportable":
      "Este navegador criou a chave antes que chaves pudessem ser salvas, e nenhum programa consegue lê-la. Ela continua funcionando " +
      "aqui. As chaves criadas a partir de agora podem ser salvas.",
  },
  data: "Os seus dados",
  dataHelp:
    "O servidor conhece você por uma chave aleatória que este navegador criou. Aqui está o que ele guarda sobre essa chave, e como " +
    "acabar com isso.",
  export: "Baixar o que o servidor tem sobre mim",
  exported: "Está nos seus downloads.",
  remember: "Esquecer de mim…",
  forgetText:
    "O servidor apaga o seu nome, o seu crédito, os seus vínculos e o que ele lembra do seu aparelho, para todas as chaves com que a " +
    "sua está vinculada. Este navegador apaga a sua chave, o que você escolheu e todos os downloads deste projeto. O treinamento " +
    "para. O que fica: o histórico assinado das versões cita a sua chave aleatória e as impressões digitais dos seus deltas, e o que " +
    "eles ensinaram está no modelo. Ele não diz mais nada sobre você.",
  forget: "Sim, esqueça de mim",
  keep: "Não, manter",
  forgotten: "Você foi esquecido, aqui e lá. Se um dia treinar de novo, será como alguém novo.",
};
