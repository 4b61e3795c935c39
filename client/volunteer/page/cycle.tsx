import type { ComponentChildren } from "preact";
import { formatBytes } from "../../ui/format.ts";
import type { Phase } from "../../worker/messages.ts";
import type { TrainerHandle } from "../session/worker-client.ts";
import { text } from "../strings.ts";

type Stage = "download" | "train" | "send";

/** Which of the three stations the loop is at. */
function stageOf(phase: Phase): Stage | undefined {
  if (phase.phase === "downloading") return "download";
  if (phase.phase === "training") return "train";
  return phase.phase === "sending" ? "send" : undefined;
}

/** Download → train → send, as it happens, with what was really moved. */
export function Cycle({ trainer }: { readonly trainer: TrainerHandle }) {
  const stage = stageOf(trainer.phase.value);
  const download = trainer.download.value;
  const step = trainer.step.value;
  const sent = trainer.sent.value;
  return (
    <ol class="cycle">
      <Station
        name="download"
        stage={stage}
        title={text.download}
        icon={<path d="M12 4v11m-5-5 5 5 5-5M5 20h14" />}
      >
        {download === undefined
          ? [text.notYet]
          : [
              formatBytes(stage === "download" ? download.bytes : download.total),
              text.downloadOf[download.what],
            ]}
      </Station>
      <Station
        name="train"
        stage={stage}
        title={text.train}
        icon={<path d="M3 16c4 0 4-9 8-9s3 6 6 6 3-3 4-5" />}
      >
        {step === undefined
          ? [text.notYet]
          : [text.stepOf(step.step, step.steps), text.speed(step.tokensPerSecond)]}
      </Station>
      <Station name="send" stage={stage} title={text.send} icon={<path d="M12 20V9m-5 5 5-5 5 5M5 4h14" />}>
        {sent === undefined
          ? [text.notYet]
          : [formatBytes(sent.last.bytes), text.forVersion(sent.last.version)]}
      </Station>
    </ol>
  );
}

interface StationProps {
  readonly name: Stage;
  readonly stage: Stage | undefined;
  readonly title: string;
  readonly icon: ComponentChildren;
  readonly children: readonly string[];
}

function Station({ name, stage, title, icon, children }: StationProps) {
  return (
    <li class={stage === name ? "station now" : "station"} aria-current={stage === name ? "step" : undefined}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        {icon}
      </svg>
      <strong>{title}</strong>
      {children.map((line, i) => (
        <span key={i}>{line}</span>
      ))}
    </li>
  );
}
