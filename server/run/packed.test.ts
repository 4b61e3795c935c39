import { expect, test } from "vitest";
import { DENSE2 } from "../../protocol/codec/codec.ts";
import { sha256 } from "../../protocol/identity.ts";
import { packFrame } from "../../protocol/packed-frame.ts";
import type { Upload } from "../../protocol/upload.ts";
import {
  deltaOf,
  restart,
  TestVolunteer,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
} from "../../test/harness/tiny-run.ts";

const settings = tinySettings({ delta: DENSE2, quorum: 1 });
const packed = (upload: Upload): Upload => ({ ...upload, frame: packFrame(upload.frame, 10, DENSE2) });

test("C9: a delta that came packed makes the version that it makes otherwise, also after a restart", async () => {
  const hashes = await Promise.all(
    [packed, (upload: Upload) => upload].map(async (way) => {
      const tiny = await tinyRun({ settings });
      expect(tiny.run.manifest().packed).toBe(true);
      const volunteer = await TestVolunteer.create();
      const upload = uploadOf(await volunteer.ticket(tiny.run), deltaOf(3), DENSE2);
      expect(way(upload).frame.length).toBe(way === packed ? 20 : 21);
      const receipt = await volunteer.send(tiny.run, way(upload));
      expect(receipt.delta).toBe(await sha256(upload.frame));
      tiny.run.tick();
      await until(() => tiny.run.status().version === 1);
      const { hash } = tiny.run.manifest();
      const again = await restart(tiny, "drop");
      expect(again.run.manifest().hash).toBe(hash);
      await again.run.close();
      return hash;
    }),
  );
  expect(hashes[0]).toBe(hashes[1]);
});

test("C9, D3: it is the same delta whichever way it is sent again, and another is none", async () => {
  const { run } = await tinyRun({ settings });
  const volunteer = await TestVolunteer.create();
  const ticket = await volunteer.ticket(run);
  const upload = uploadOf(ticket, deltaOf(3), DENSE2);
  const receipt = await volunteer.send(run, packed(upload));
  expect(await volunteer.send(run, packed(upload))).toEqual(receipt);
  expect(await volunteer.send(run, upload)).toEqual(receipt);
  const other = packed(uploadOf(ticket, deltaOf(4), DENSE2));
  await expect(volunteer.send(run, other)).rejects.toMatchObject({ code: "ticket-used" });
  await run.close();
});

test("C9: a run whose deltas cannot be packed says nothing of it, and takes none", async () => {
  const { run } = await tinyRun({ settings: tinySettings({ delta: "dense4" }) });
  expect(run.manifest()).not.toHaveProperty("packed");
  const volunteer = await TestVolunteer.create();
  const upload = packed(uploadOf(await volunteer.ticket(run), deltaOf(3), DENSE2));
  await expect(volunteer.send(run, upload)).rejects.toMatchObject({ code: "wrong-codec" });
  await run.close();
});
