import { useSignal } from "@preact/signals";
import { ProtocolError } from "../../../protocol/errors.ts";
import type { Identity } from "../../../protocol/identity.ts";
import { peopleApi } from "../../transport/people.ts";
import { refusalReason } from "../lines.ts";
import { posts } from "../session/posts.ts";
import { CodePanel } from "./code-panel.tsx";
import { Confirm } from "./confirm.tsx";
import { download } from "./download.ts";
import { KeyFileError, MAX_KEY_FILE, MIN_PASSPHRASE, openKey, sealKey } from "./key-file.ts";
import type { PeopleProps } from "./props.ts";
import { words } from "./strings.ts";
import { takeKey } from "./take-key.ts";

interface KeyPanelProps extends Pick<PeopleProps, "watch" | "session" | "code"> {
  /** Does something with the key of this browser, and says how it went. */
  readonly withKey: (work: (identity: Identity) => Promise<string>) => Promise<void>;
  readonly say: (line: string) => void;
}

/** Saves the browser's key as a file, and takes one that another browser saved. */
export function KeyPanel({ watch, session, code, withKey, say }: KeyPanelProps) {
  const passphrase = useSignal("");
  const file = useSignal<File | undefined>(undefined);
  // Off where the code came by a link: a stranger may have sent it, and would link a key of its own to this one.
  const addUp = useSignal(code === undefined);
  const run = watch.status.value?.run;
  const isLong = passphrase.value.length >= MIN_PASSPHRASE;

  const save = () =>
    withKey(async (identity) => {
      if (run === undefined) return words.failed;
      try {
        download("murmuration-key.json", await sealKey(identity, run, passphrase.value));
        return words.keySaved;
      } catch (error) {
        return keyLine(error);
      }
    });

  async function take(from: File): Promise<void> {
    if (run === undefined) return;
    say(words.keyOpening);
    try {
      if (from.size > MAX_KEY_FILE) throw new KeyFileError("bad-key-file");
      const identity = await openKey(new Uint8Array(await from.arrayBuffer()), run, passphrase.value);
      const together = await takeKey(identity, run, session, addUp.value);
      say(together === undefined ? words.keyTaken : words.keysLinked(together.linked + 1, together.tokens));
    } catch (error) {
      say(keyLine(error));
    }
  }

  return (
    <>
      {run !== undefined && <CodePanel {...{ run, session, code, withKey, say }} addUp={() => addUp.value} />}
      <section aria-labelledby="key-title">
        <h3 id="key-title">{words.key}</h3>
        <p class="note">{words.keyHelp}</p>
        <label>
          {words.passphrase}
          <input
            type="password"
            autocomplete="off"
            value={passphrase.value}
            onInput={({ currentTarget }) => {
              passphrase.value = currentTarget.value;
            }}
          />
        </label>
        <div class="buttons">
          <button type="button" disabled={!isLong} onClick={() => void save()}>
            {words.keySave}
          </button>
        </div>
        <label>
          {words.keyFile}
          <input
            type="file"
            accept=".json,application/json"
            onChange={({ currentTarget }) => {
              file.value = currentTarget.files?.[0];
            }}
          />
        </label>
        <div class="buttons">
          <button
            type="button"
            disabled={file.value === undefined || passphrase.value === ""}
            onClick={() => file.value && void take(file.value)}
          >
            {words.keyTake}
          </button>
        </div>
      </section>
      <label class="check">
        <input
          type="checkbox"
          checked={addUp.value}
          onChange={({ currentTarget }) => {
            addUp.value = currentTarget.checked;
          }}
        />
        {words.addUp}
      </label>
      <Confirm
        quiet
        ask={words.unlink}
        text={words.unlinkText}
        yes={words.unlinkYes}
        confirm={() =>
          withKey(async (identity) => {
            await peopleApi(posts).unlink(identity);
            return words.unlinked;
          })
        }
      />
    </>
  );
}

const keyLine = (error: unknown): string =>
  error instanceof KeyFileError
    ? words.keyRefused[error.code]
    : error instanceof ProtocolError
      ? words.refused(refusalReason(error.code))
      : words.keyFailed;
