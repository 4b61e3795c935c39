import { beforeAll, describe, expect, it } from "vitest";
import { speak } from "../language/current.ts";
import { commonStrings } from "../ui/strings.ts";
import type { Phase } from "../worker/messages.ts";
import { announcement, deviceLine, phaseLine, probeLine, refusedLine } from "./lines.ts";
import { volunteerStrings } from "./strings.ts";

beforeAll(() => speak("en", [commonStrings, volunteerStrings]));

const PHASES: readonly (readonly [Phase, string])[] = [
  [{ phase: "starting" }, "Starting"],
  [{ phase: "probing", trying: "webgl" }, "Trying this machine’s devices (WebGL)"],
  [{ phase: "downloading", what: "weights", bytes: 1, total: 2 }, "Downloading the model’s weights"],
  [{ phase: "downloading", what: "text", bytes: 1, total: 2 }, "Downloading text to train on"],
  [{ phase: "downloading", what: "change", bytes: 1, total: 2 }, "Catching up with the newest version"],
  [{ phase: "training" }, "Training on a passage"],
  [{ phase: "queued" }, "Waiting for the next piece of work"],
  [{ phase: "sending", bytes: 151_616 }, "Sending your delta (152 kB)"],
  [{ phase: "waiting", forMs: 5_000 }, "No work right now. Asking again in 5.0 s"],
  [{ phase: "away", forMs: 12_000 }, "Trying again in 12 s"],
  [{ phase: "paused", why: "visitor" }, "Paused by you"],
  [{ phase: "paused", why: "hidden" }, "tab is hidden"],
  [{ phase: "paused", why: "battery" }, "on battery"],
  [{ phase: "paused", why: "other-tab" }, "Another tab is training"],
  [{ phase: "paused", why: "operator" }, "The operator has paused the run"],
  [{ phase: "finished" }, "The run is finished, and so is the model"],
  [{ phase: "unable", why: "insecure", detail: "" }, "https://"],
  [{ phase: "unable", why: "no-device", detail: "" }, "No way to train worked in this browser"],
  [{ phase: "unable", why: "protocol", detail: "" }, "different versions of the protocol"],
  [{ phase: "unable", why: "no-ed25519", detail: "" }, "cannot make Ed25519 keys"],
  [{ phase: "unable", why: "stuck", detail: "" }, "does not answer"],
  [{ phase: "unable", why: "failed", detail: "" }, "did not expect"],
  [{ phase: "banned", forMs: 5_000 }, "The operator of this run has banned this browser"],
  [{ phase: "quarantined", forMs: 120_000 }, "takes none of it for 2 min; then training resumes by itself"],
  [{ phase: "stopped" }, "Nothing is running"],
];

describe("a phase in plain words", () => {
  it.each(PHASES)("%j", (phase, words) => expect(phaseLine(phase)).toContain(words));

  it("is announced the same at every turn of the loop, and differently when something changed", () => {
    const said = new Map(PHASES.map(([phase]) => [JSON.stringify(phase), announcement(phase)]));
    const turning = PHASES.filter(([{ phase }]) => /queued|downloading|training|sending/.test(phase));
    expect(new Set(turning.map(([phase]) => announcement(phase)))).toEqual(new Set(["Training."]));
    expect(new Set(said.values()).size).toBe(PHASES.length - turning.length); // starting and probing share one
  });
});

describe("a device in plain words", () => {
  it("says where a GPU is none", () => {
    const report = { device: "webgpu", engine: "fast", detail: "SwiftShader (software)" } as const;
    expect(deviceLine({ ...report, software: true })).toBe(
      "WebGPU (software, on the CPU) · SwiftShader (software)",
    );
    expect(deviceLine({ device: "wasm", engine: "fast", detail: "", software: false })).toBe("WebAssembly");
  });

  it("says why one was not taken, and how fast another was", () => {
    expect(probeLine({ device: "webgl", engine: "tfjs", outcome: { refused: "wrong gradient" } })).toBe(
      "WebGL (tfjs): wrong gradient",
    );
    expect(probeLine({ device: "wasm", engine: "fast", outcome: { tokensPerSecond: 3_120 } })).toBe(
      "WebAssembly: 3.12 k tokens/s",
    );
  });
});

describe("a refusal in plain words", () => {
  it("names the code where there is no better word", () => {
    expect(refusedLine("stale")).toContain("kept for your next delta");
    expect(refusedLine("norm-too-large")).toContain("more than training can");
    expect(refusedLine("bad-frame")).toContain("bad-frame");
  });
});
