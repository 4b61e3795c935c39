import { useEffect, useState } from "preact/hooks";
import { MAX_WEIGHT, MIN_WEIGHT } from "../../../protocol/added-text.ts";
import { formatBytes, formatCount } from "../../ui/format.ts";
import { Card, Choice } from "../parts.tsx";
import { Progress } from "../setup/page.tsx";
import { Upload } from "../setup/text-card.tsx";
import type { TextClient } from "./text-client.ts";
import { moreText as text } from "./text-strings.ts";

/** Adds text to the run, and lists what was added. */
export function MoreText({ client }: { readonly client: TextClient }) {
  const [source, setSource] = useState<"upload" | "url">("upload");
  const [url, setUrl] = useState("");
  const [weight, setWeight] = useState(1);
  const [drop, setDrop] = useState(true);
  useEffect(client.watch, []);
  const state = client.state.value;
  if (state === undefined) return null;
  const { upload, work, failed, texts, maxBytes } = state;
  const isReady = source === "upload" ? upload?.sha256 != null : URL.canParse(url);
  const isWeight = weight >= MIN_WEIGHT && weight <= MAX_WEIGHT;
  const submit = (event: Event) => {
    event.preventDefault();
    const from = source === "upload" ? source : { url };
    void client.add({ from, weight, duplicates: drop ? "drop" : "keep" });
  };
  const choice = (value: typeof source, label: string, help: string) => (
    <Choice {...{ label, help }} isChosen={source === value} choose={() => setSource(value)} />
  );
  return (
    <Card title={text.title}>
      <p class="note">{text.help}</p>
      {failed !== null && (
        <div class="notice" role="status">
          <h3>{text.failed(failed.code)}</h3>
          <p>{failed.message}</p>
        </div>
      )}
      {work !== null ? (
        <Progress work={work} label={text.adding} />
      ) : (
        <form class="more-text" onSubmit={submit}>
          <fieldset class="choices">
            <legend class="visually-hidden">{text.from}</legend>
            {choice("upload", text.upload, text.uploadHelp(formatBytes(maxBytes)))}
            {choice("url", text.url, text.urlHelp)}
          </fieldset>
          {source === "upload" && <Upload client={client} upload={upload} />}
          <div class="settings">
            {source === "url" && (
              <label class="long">
                <span>{text.address}</span>
                <input
                  type="url"
                  value={url}
                  placeholder="https://"
                  onInput={({ currentTarget }) => setUrl(currentTarget.value.trim())}
                />
              </label>
            )}
            <label>
              <span>{text.weight}</span>
              <input
                type="number"
                step="any"
                min={MIN_WEIGHT}
                max={MAX_WEIGHT}
                required
                value={weight}
                onInput={({ currentTarget }) => setWeight(currentTarget.valueAsNumber)}
              />
              <small>{text.weightHelp}</small>
            </label>
            <label class="check">
              <input
                type="checkbox"
                checked={drop}
                onChange={({ currentTarget }) => setDrop(currentTarget.checked)}
              />
              <span>
                {text.drop} <small>({text.dropHelp})</small>
              </span>
            </label>
            <button type="submit" disabled={!isReady || !isWeight || client.sending.value !== undefined}>
              {text.add}
            </button>
          </div>
        </form>
      )}
      <p class="said" role="status">
        {client.said.value}
      </p>
      {texts.length > 0 && (
        <>
          <h3>{text.added}</h3>
          <ul class="texts">
            {texts.map(({ name, bytes, tokens, duplicates, waits }, i) => (
              <li key={`${i} ${name}`}>
                {name}
                <small>
                  {text.line(formatBytes(bytes), formatCount(tokens))}
                  {duplicates > 0 && `; ${text.duplicates(formatCount(duplicates))}`}
                  {waits && `; ${text.waits}`}
                </small>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}
