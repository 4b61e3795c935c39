import type { Words } from "../../../language/catalogue.ts";
import { formatCount, formatLarge } from "../../../ui/format.ts";
import type { HandOverEnd } from "../hand-over.ts";
import type { KeyFileCode } from "../key-file.ts";

/** Strings about names and data. */
export const words = {
  leaders: "Named volunteers",
  leadersHelp: "Most volunteers have no name. These chose one, and can remove it at any time.",
  nobody: "Nobody has asked for a name yet.",
  columns: ["Name", "Tokens", "Last day"],
  tokens: formatLarge,
  loading: "Asking the server…",
  name: "Your name",
  nameHelp:
    "You have none unless you choose one. Everyone who opens this page sees it, and how much of your work is in the " +
    "model. At most 32 characters.",
  save: "Show this name",
  remove: "Remove my name",
  named: (name: string) => `You are listed as ${name}.`,
  page: "Also give me a page that anybody can open. It shows what I gave, with proofs that name my random keys",
  paged: " In the list it links to your page, whose address you can share.",
  unnamed: "You are listed nowhere.",
  refused: (why: string) => `The server did not accept it: ${why}.`,
  badName: "it has no letter or digit, is too long, or has invisible characters",
  failed: "The server did not answer. Nothing was changed.",
  noKey:
    "This browser holds no key of this run, so there is nothing here that could be yours. A key is made when you first train.",
  teams: "Teams",
  teamsHelp:
    "A team is a name that people gather under, and the sum of what they gave. Anybody may begin one, or join.",
  teamName: "A team’s name",
  teamJoin: "Join this team",
  teamLeave: "Leave my team",
  teamJoined: (name: string) => `You are in the team ${name}.`,
  teamLeft: "You are in no team.",
  key: "Your key",
  keyHelp:
    "Your credit and your name belong to a random key that this browser made. Save it as a file, locked with a passphrase. " +
    "You can then use it in another browser, or on another device. Anyone who has both the file and the passphrase can work " +
    "under your name. Nobody can reset the passphrase.",
  passphrase: "Passphrase, 8 characters or more",
  keySave: "Save my key as a file",
  keySaved: "It is in your downloads. Keep the passphrase elsewhere.",
  keyFile: "A file that another browser saved",
  keyTake: "Use this file’s key here",
  keyOpening: "Opening the file…",
  keyTaken: "This browser now has that key, in place of its own. Start training to go on with it.",
  addUp: "Count the work of this browser’s own key together with it",
  keysLinked: (keys: number, tokens: number) =>
    `This browser now has that key. ${formatCount(keys)} keys of yours count as one person’s from now on: ` +
    `${formatLarge(tokens)} tokens.`,
  unlink: "Count this key by itself…",
  unlinkText:
    "Its work then no longer counts together with that of your other keys. Those stay linked with one another. To link this key again, you need two of the keys in one browser.",
  unlinkYes: "Yes, count it by itself",
  unlinked: "This key counts by itself from now on.",
  code: "Your key on another device",
  codeHelp:
    "Show a code here. On the other device, scan it or open its link: your key goes there, and the server cannot read it. A " +
    "code works once, for two minutes. Show it to nobody else.",
  codeShow: "Show a code",
  codePicture: "A QR code of the link below",
  codeLeft: (seconds: number) => `Good for another ${formatCount(seconds)} s. Leave this page open.`,
  codeCompare: "Another page has read the code. Send it your key only if it shows the same number:",
  codeSend: "Yes, send my key",
  codeRefuse: "No",
  codeRead: "A code that another device of yours shows, or its link",
  codeTake: "Take the key of that device",
  codeKnocks: "Asking the other device…",
  codeWait: "If the other device shows the same number, agree there now:",
  codeWrong: "This is no code of this run, or what came is not what was sent. Nothing was changed here.",
  codeUsed:
    "Another page has used this code. If that was not you, say No on the other device, and show a new code.",
  codeEnded: {
    taken: "The other device has your key now. Both may work with it.",
    declined: "Nothing was sent.",
    over: "The code’s two minutes are over. Show a new one.",
    stranger: "A page that has not read the code asked for your key. Nothing was sent. Show a new code.",
  } satisfies Record<HandOverEnd, string>,
  keyFailed: "This browser could not do that. Nothing was changed.",
  keyRefused: {
    "wrong-passphrase": "The passphrase is wrong, or the file was changed. Nothing was changed here.",
    "bad-key-file": "This is no file of a key, or it is damaged.",
    "other-run": "This file holds a key of another run.",
    "not-exportable":
      "This browser made its key before keys could be saved, so no program can read it. The key still works here. Keys that " +
      "are made from now on can be saved.",
  } satisfies Record<KeyFileCode, string>,
  data: "Your data",
  dataHelp:
    "The server knows you by a random key that this browser made. Here is what it holds about that key, and how to end it.",
  export: "Download what the server holds about me",
  exported: "It is in your downloads.",
  remember: "Forget me…",
  forgetText:
    "The server removes your name, your credit, your links and what it remembers of your device, for all keys that yours is " +
    "linked with. This browser removes your key, what you chose and all downloads of this run. Training stops. " +
    "What stays: the signed history of versions names your random key and fingerprints of your deltas, and what they " +
    "taught is in the model. It says nothing else about you.",
  forget: "Yes, forget me",
  keep: "No, keep it",
  forgotten: "You are forgotten, here and there. If you ever train again, it is as someone new.",
} as const;

export type PeopleWords = Words<typeof words>;
