import type { RunStatus } from "../../../protocol/status.ts";
import { formatCount } from "../../ui/format.ts";
import { Card } from "../parts.tsx";
import { text } from "../strings.ts";

/** How versions go on from the operator's beginnings, the newest first. A language model wrote them: text nodes. */
export function Prompts({ status: { prompts, sample, samples } }: { readonly status: RunStatus }) {
  if (prompts.length === 0) return null;
  const early = samples.filter(({ version }) => version !== sample?.version);
  const versions = [...(sample === null ? [] : [sample]), ...early.toReversed()];
  const written = versions.filter((one) => one.written !== undefined);
  return (
    <Card title={text.prompts}>
      <p class="note">{text.promptsHelp}</p>
      {written.length === 0 && <p class="wait">{text.promptsWait}</p>}
      {written.length > 0 &&
        prompts.map((prompt, i) => (
          <section key={prompt} class="prompt">
            <h3 translate={false}>{prompt}</h3>
            <dl>
              {written.map((one) => (
                <div key={one.version}>
                  <dt>{text.byVersion(formatCount(one.version))}</dt>
                  <dd translate={false}>{one.written?.[i]?.trim() || "–"}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
    </Card>
  );
}
