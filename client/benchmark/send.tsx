import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { isSpeedSize, plainAdapter, type Speed } from "../../protocol/speeds.ts";
import { readSpeeds, sendSpeeds } from "../ui/speeds-client.ts";
import type { Results } from "./bench.ts";
import { Card } from "./results.tsx";
import { text } from "./strings.ts";

/** What of the results would be sent: our engine's, at the sizes that compare. */
export function speedsOf({ config, gemm, rows }: Results): readonly Speed[] {
  if (!isSpeedSize(config)) return [];
  return rows.flatMap((row): Speed[] => {
    const { engine, device, software, detail, tokensPerSecond, flops, peak } = row;
    if (engine !== "fast") return [];
    const adapter = plainAdapter(device === "webgpu" ? (gemm?.adapter ?? "") : detail);
    const ofPeak = peak === null ? null : Math.min(2, Number((flops / peak).toPrecision(3)));
    return [
      { device, adapter, software, size: config, tokensPerSecond: Math.round(tokensPerSecond), ofPeak },
    ];
  });
}

/** Offers to send the figures to the run's server, where that takes them: word for word what would go. */
export function Send({ results }: { readonly results: Results }) {
  const state = useSignal<"closed" | "asked" | "sending" | "sent" | "refused">("closed");
  const speeds = speedsOf(results);
  useEffect(() => {
    void readSpeeds().then((table) => {
      if (table?.taken && state.value === "closed") state.value = "asked";
    });
  }, []);
  if (state.value === "closed" || speeds.length === 0) return null;
  const send = async () => {
    state.value = "sending";
    state.value = (await sendSpeeds(speeds)) ? "sent" : "refused";
  };
  return (
    <Card title={text.send}>
      <p>{text.sendHelp}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <pre tabIndex={0} class="sent">
        {JSON.stringify({ speeds }, null, 1)}
      </pre>
      {state.value === "sent" || state.value === "refused" ? (
        <p role="status">{state.value === "sent" ? text.sent : text.notSent}</p>
      ) : (
        <button type="button" disabled={state.value === "sending"} onClick={() => void send()}>
          {text.sendYes}
        </button>
      )}
    </Card>
  );
}
