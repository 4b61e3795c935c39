import type { SetupState } from "../../../protocol/setup.ts";
import { formatBytes, formatCount } from "../../ui/format.ts";
import { Card, Choice } from "../parts.tsx";
import type { Draft } from "./order.ts";
import type { SetupClient } from "./setup-client.ts";
import { text } from "./strings.ts";
import type { Sending, TextUpload } from "./text-upload.ts";

interface TextCardProps {
  readonly setup: SetupClient;
  readonly state: SetupState;
  readonly draft: Draft;
  readonly setDraft: (draft: Draft) => void;
}

/** Chooses the text to learn from: a corpus that is there, the book that comes with the program, or an upload. */
export function TextCard({ setup, state, draft, setDraft }: TextCardProps) {
  const { corpus, freeBytes, maxBytes } = state;
  if (corpus !== null) {
    const { tokens, bytes, vocabulary } = corpus;
    return (
      <Card title={text.textTitle}>
        <p>{text.corpus(formatCount(tokens), formatBytes(bytes), formatCount(vocabulary))}</p>
      </Card>
    );
  }
  const choice = (source: Draft["source"], label: string, help: string) => (
    <Choice
      {...{ label, help }}
      isChosen={draft.source === source}
      choose={() => setDraft({ ...draft, source })}
    />
  );
  return (
    <Card title={text.textTitle}>
      <fieldset class="choices">
        <legend class="visually-hidden">{text.textTitle}</legend>
        {choice("upload", text.ownText, text.ownTextHelp(formatBytes(maxBytes)))}
        {choice("moby-dick", text.mobyDick, text.mobyDickHelp)}
      </fieldset>
      {draft.source === "upload" && <Upload client={setup} upload={state.upload} />}
      <p class="note">{text.space(formatBytes(freeBytes))}</p>
    </Card>
  );
}

interface UploadProps {
  readonly client: Omit<TextUpload, "said">;
  readonly upload: SetupState["upload"];
}

/** A file that is chosen, on its way, or here. */
export function Upload({ client, upload }: UploadProps) {
  const sending = client.sending.value;
  if (sending !== undefined) return <Bar {...sending} />;
  const whole = upload?.sha256 ?? null;
  return (
    <div class="upload">
      {upload !== null && (
        <p role="status">
          {whole === null
            ? text.unfinished(upload.name, formatBytes(upload.received), formatBytes(upload.bytes))
            : text.here(upload.name, formatBytes(upload.bytes))}
          {whole !== null && <small class="hash">{text.fingerprint(whole)}</small>}
        </p>
      )}
      {whole === null && (
        <label class="file">
          <span>{text.choose}</span>
          <input
            type="file"
            accept=".txt,.md,.jsonl,.gz,.parquet"
            onChange={({ currentTarget }) => {
              const file = currentTarget.files?.[0];
              currentTarget.value = ""; // so that the same file can be chosen again
              if (file !== undefined) void client.send(file);
            }}
          />
        </label>
      )}
      {upload !== null && (
        <button type="button" onClick={() => void client.discard()}>
          {text.discard}
        </button>
      )}
    </div>
  );
}

function Bar({ name, received, bytes, away }: Sending) {
  return (
    <div class="upload">
      <p role="status">{text.sending(name, formatBytes(received), formatBytes(bytes))}</p>
      <progress aria-label={name} value={received} max={bytes} />
      {away && <p class="notice">{text.sendingAway}</p>}
    </div>
  );
}
