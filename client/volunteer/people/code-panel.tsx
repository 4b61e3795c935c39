import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ProtocolError } from "../../../protocol/errors.ts";
import { createIdentity, type Identity } from "../../../protocol/identity.ts";
import type { RunId } from "../../../protocol/ids.ts";
import { peopleApi } from "../../transport/people.ts";
import { Lazy } from "../../ui/lazy.tsx";
import { sleep } from "../../worker/time.ts";
import { refusalReason } from "../lines.ts";
import { posts, server } from "../session/posts.ts";
import { type Code, drawCode, readCode, WrongCode } from "./code.ts";
import { linkOf } from "./code-link.ts";
import { type HandOverParts, handOver, receive } from "./hand-over.ts";
import type { PeopleProps } from "./props.ts";
import { words } from "./strings.ts";
import { takeKey } from "./take-key.ts";

interface CodePanelProps extends Pick<PeopleProps, "session" | "code"> {
  readonly run: RunId;
  readonly addUp: () => boolean;
  /** Does something with the key of this browser, and says how it went. */
  readonly withKey: (work: (identity: Identity) => Promise<string>) => Promise<void>;
  readonly say: (line: string) => void;
}

/** What is shown beside the QR code: seconds that are left, or the digits of a page that knocked. */
interface Shown {
  readonly link: string;
  readonly left: number;
  readonly digits?: string;
  readonly answer?: (yes: boolean) => void;
}

const partsFor = (code: Code, identity: Identity, signal: AbortSignal): HandOverParts => ({
  code,
  ask: (request) => peopleApi(posts).code(identity, request),
  wait: (ms) => sleep(ms, signal),
});

/** Carries this browser's key to another page of its owner's, or takes one from there (rule U6). */
export function CodePanel({ run, session, code, addUp, withKey, say }: CodePanelProps) {
  const shown = useSignal<Shown | undefined>(undefined);
  const typed = useSignal("");
  const digits = useSignal<string | undefined>(undefined);
  const ended = useSignal(new AbortController());
  const section = useRef<HTMLElement>(null);
  useEffect(() => () => ended.value.abort(), []);
  useEffect(() => {
    if (code === undefined) return;
    typed.value = code;
    section.current?.scrollIntoView({ block: "center" }); // it is what the visitor came for
  }, [code]);

  const begin = () => {
    ended.value.abort();
    ended.value = new AbortController();
    return ended.value.signal;
  };

  const show = () =>
    withKey(async (identity) => {
      if (!identity.privateKey.extractable) return words.keyRefused["not-exportable"];
      const signal = begin();
      const drawn = await drawCode(run);
      const link = linkOf(server, drawn.text);
      say("");
      try {
        const how = await handOver(partsFor(drawn, identity, signal), identity, {
          left: (ms) => {
            shown.value = { link, left: Math.ceil(ms / 1_000) };
          },
          agree: (found) =>
            new Promise((answer) => {
              shown.value = { link, left: 0, digits: found, answer };
              say("");
            }),
        });
        return words.codeEnded[how];
      } finally {
        shown.value = undefined;
      }
    });

  async function take(): Promise<void> {
    const signal = begin();
    say(words.codeKnocks);
    try {
      const read = await readCode(typed.value, run);
      const identity = await receive(partsFor(read, await createIdentity(), signal), (found) => {
        digits.value = found;
        say("");
      });
      const together = await takeKey(identity, run, session, addUp());
      typed.value = "";
      say(together === undefined ? words.keyTaken : words.keysLinked(together.linked + 1, together.tokens));
    } catch (error) {
      say(lineOf(error));
    } finally {
      digits.value = undefined;
    }
  }

  return (
    <section aria-labelledby="code-title" class="code" ref={section}>
      <h3 id="code-title">{words.code}</h3>
      <p class="note">{words.codeHelp}</p>
      {shown.value === undefined ? (
        <div class="buttons">
          <button type="button" onClick={() => void show()}>
            {words.codeShow}
          </button>
        </div>
      ) : (
        <ShownCode {...shown.value} />
      )}
      {digits.value === undefined ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void take();
          }}
        >
          <label>
            {words.codeRead}
            <input
              type="text"
              required
              autocomplete="off"
              spellcheck={false}
              value={typed.value}
              onInput={({ currentTarget }) => {
                typed.value = currentTarget.value;
              }}
            />
          </label>
          <div class="buttons">
            <button type="submit" class={code === undefined ? "" : "primary"}>
              {words.codeTake}
            </button>
          </div>
        </form>
      ) : (
        <p class="digits" role="status">
          {words.codeWait} <strong>{digits.value}</strong>
        </p>
      )}
    </section>
  );
}

/** The encoder is fetched by who shows a code, and nobody else. */
const loadQrCode = async () => (await import("./qr-code.tsx")).QrCode;

function ShownCode({ link, left, digits, answer }: Shown) {
  if (digits === undefined || answer === undefined) {
    return (
      <>
        <Lazy wanted load={loadQrCode} props={{ text: link, label: words.codePicture }} />
        <p class="link">
          <code>{link}</code>
        </p>
        <p class="note">{words.codeLeft(left)}</p>
      </>
    );
  }
  return (
    <div class="warning" role="alert">
      <p class="digits">
        {words.codeCompare} <strong>{digits}</strong>
      </p>
      <div class="buttons">
        <button type="button" class="primary" onClick={() => answer(true)}>
          {words.codeSend}
        </button>
        <button type="button" onClick={() => answer(false)}>
          {words.codeRefuse}
        </button>
      </div>
    </div>
  );
}

function lineOf(error: unknown): string {
  if (error instanceof WrongCode) return words.codeWrong;
  if (!(error instanceof ProtocolError)) return words.failed;
  if (error.code === "not-found") return words.codeEnded.over;
  return error.code === "code-used" ? words.codeUsed : words.refused(refusalReason(error.code));
}
