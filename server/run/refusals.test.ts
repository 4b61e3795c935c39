import { describe, expect, test } from "vitest";
import { advance, TestVolunteer, type TinyRun, tinyRun, uploadOf } from "../../test/harness/tiny-run.ts";

const volunteer = await TestVolunteer.create();

describe("refusals leave the model as it was", () => {
  const cases: [string, (tiny: TinyRun) => Promise<unknown>][] = [
    [
      "not-finite",
      async ({ run }) => {
        const upload = uploadOf(await volunteer.ticket(run));
        upload.frame.set([0, 0, 0xc0, 0x7f], 16);
        return volunteer.send(run, upload);
      },
    ],
    [
      "wrong-shape",
      async ({ run }) => volunteer.send(run, uploadOf(await volunteer.ticket(run), new Float32Array(9))),
    ],
    [
      "too-large",
      async ({ run }) => volunteer.send(run, uploadOf(await volunteer.ticket(run), new Float32Array(11))),
    ],
    [
      "norm-too-large",
      async ({ run }) =>
        volunteer.send(run, uploadOf(await volunteer.ticket(run), new Float32Array(10).fill(1e9))),
    ],
    [
      "not-your-ticket",
      async ({ run }) => {
        const thief = await TestVolunteer.create();
        return thief.send(run, uploadOf(await volunteer.ticket(run)));
      },
    ],
    [
      "bad-ticket",
      async ({ run }) => {
        const ticket = await volunteer.ticket(run);
        return volunteer.send(run, uploadOf({ ...ticket, version: 999_999 }));
      },
    ],
    [
      "lease-expired",
      async ({ run, clock }) => {
        const upload = uploadOf(await volunteer.ticket(run));
        clock.ms += 60_001;
        return volunteer.send(run, upload);
      },
    ],
    [
      "stale",
      async (tiny) => {
        const upload = uploadOf(await volunteer.ticket(tiny.run));
        await advance(volunteer, tiny, 5);
        return volunteer.send(tiny.run, upload);
      },
    ],
  ];

  test.each(cases)("%s", async (code, attempt) => {
    const tiny = await tinyRun();
    const control = await tinyRun();
    await expect(attempt(tiny)).rejects.toMatchObject({ code });
    expect(tiny.run.status().deltas.refused).toEqual({ [code]: 1 });
    // The control never met the attack: the same honest deltas give the same model.
    const { version } = tiny.run.status();
    await advance(volunteer, control, version + 1);
    await advance(volunteer, tiny);
    expect(tiny.run.latestSnapshot().hash).toBe(control.run.latestSnapshot().hash);
    await Promise.all([tiny.run.close(), control.run.close()]);
  });
});
