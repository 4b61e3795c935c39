import type { Intermediary } from "./intermediary.ts";
import { describeIntermediary, type IntermediaryWords } from "./intermediary-words.ts";

/** Names what answered in the server's place, in English: for the command line, operators' pages and the English catalogue. */
export const intermediaryLine = (why: Intermediary): string => describeIntermediary(why, ENGLISH);

const ENGLISH: IntermediaryWords = {
  elsewhere: "Something between you and the server sends its requests elsewhere: ",
  answered: (status) => `Something between you and the server answered ${status}: `,
  advice: {
    "too-large":
      "a proxy lets through less than the server takes. Its operator must raise the limit (nginx: client_max_body_size).",
    "headers-too-large":
      "a proxy takes no headers of this size. Clear this site’s cookies; if that does not help, its operator must raise the limit (nginx: large_client_header_buffers).",
    forbidden:
      "a proxy, a firewall or this network forbids the request. Its operator must let the paths under /api/ through; on a network that wants a login, log in first.",
    "not-found":
      "a proxy sends this address elsewhere. Check the address; its operator must pass on every path under the server’s.",
    "too-many": "a proxy lets through fewer requests. Its operator must raise the limit.",
    gateway:
      "the proxy is there, but the server behind it does not answer it. Its operator must start it, or correct the proxy’s address for it.",
    status: "the answer is not the server’s own. Its operator will find the reason in the proxy’s log.",
    page: "a web page came in place of an answer. On a network that wants a login, log in; otherwise check the address.",
    redirect:
      "the answer was a redirect. On a network that wants a login, log in; otherwise use the address that it leads to.",
    certificate:
      "The server’s certificate does not hold: it has run out, is for another name, or is signed by nobody this machine trusts. Its operator must renew it.",
    "unknown-host": "The server’s name is not known here. Check the address and the network.",
    refused: "Nothing listens at the server’s address. Check the address and its port, or start the server.",
    unreachable: "The server does not answer.",
  },
};
