import { expect, test } from "vitest";
import { layoutOf } from "../../model/contract/layout.ts";
import { Random } from "../../model/lib/random.ts";
import { F32 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { languageTask } from "../run/language-task.ts";
import { parseSettings } from "../run/settings.ts";
import { openEvaluationTrainer } from "./device.ts";
import { direct } from "./direct.ts";
import { effectsOf } from "./effects.ts";

test("A33: pushing one layer norm's gains against the gradient shows in that part, and hides behind the good that the rest does", async () => {
  const settings = parseSettings({ rounds: "turns", model: { layers: 1, heads: 2, width: 16, context: 16 } });
  const { batch, optimizer, model } = settings;
  const [task, shape] = [languageTask(settings, 64), { ...model, vocabulary: 64 }];
  const trainer = await openEvaluationTrainer({ shape, batch, optimizer });
  const random = new Random(1);
  // Every token tells the next one.
  const text = Uint16Array.from({ length: 2_000 }, (_, i) => (i * 5 + (random.unit() < 0.1 ? 1 : 0)) % 64);
  const about = { rates: Array.from({ length: 12 }, () => 5e-3), batch, seed: 3 };
  const start = task.initial(1);
  const learned = await direct(trainer, text, model.context, { ...about, weights: start });
  const weights = start.map((value, i) => value - learned[i]!);
  const honest = await direct(trainer, text, model.context, { ...about, weights });
  const { tensors } = layoutOf(shape);
  const at = tensors.findIndex(({ name }) => name === "ln_f.weight");
  const { offset, length } = tensors[at]!;
  const own = honest.subarray(offset, offset + length);
  const harmed = honest.slice();
  for (let i = offset; i < offset + length; i++) harmed[i] = -3 * honest[i]!;
  const frames = [honest, harmed].map((delta) => encodeFrame(F32, delta));
  const job = { weights, frames, parts: tensors, batch, batches: 4, seed: 9 };
  const [good, bad] = await effectsOf(trainer, text, model.context, job);
  trainer.dispose();
  const sum = (parts: readonly number[]) => parts.reduce((all, part) => all + part, 0);
  expect(own.some((value) => value !== 0)).toBe(true);
  expect(good![at]).toBeGreaterThan(0);
  expect(bad![at]! / good![at]!).toBeCloseTo(-3, 3);
  expect([sum(good!) > 0, sum(bad!) > 0]).toEqual([true, true]); // the whole, the control, tells no harm
  expect(bad!.filter((part, i) => i !== at && part !== good![i])).toEqual([]);
});
