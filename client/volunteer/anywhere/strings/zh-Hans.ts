import type { AnywhereWords } from "./en.ts";

export const words: AnywhereWords = {
  title: "你帮助最大的地方",
  chosen: "服务器选择了这个项目：现在多一个浏览器在这里帮助最大。",
  movedFrom: (run) => `服务器把你从“${run}”移到了这里：现在多一个浏览器在这里帮助最大。`,
  on: "你同意在帮助最大的地方帮忙：在两份工作之间，服务器可能把你移到另一个项目。",
  end: "从现在起留在这里",
  ended: "你留在这里。本服务器的其他项目会再次问你。",
  lobby: "本服务器的所有项目",
};
