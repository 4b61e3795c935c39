import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { ROUTES, SIGNALLING_PATH } from "../../protocol/routes.ts";
import { MANIFEST } from "../fake-service.ts";
import { exampleStatus } from "./example-status.ts";
import type { FakeSite } from "./pages-fixture.ts";
import { visitSite } from "./visiting.ts";

/** The visitor's consent to share, on the built page with a scripted trainer. */
let site: FakeSite;
let page: Page;
let retire: () => void;
visitSite((visit) => {
  ({ site, page, retire } = visit);
});

async function visit(peers: boolean): Promise<{ connections: () => Promise<number> }> {
  const { peers: _, ...manifest } = MANIFEST;
  site.script = [
    {
      type: "run",
      manifest: { ...manifest, run: exampleStatus().run, ...(peers && { peers: { ice: [] } }) },
      volunteer: manifest.server,
    },
    { type: "phase", phase: { phase: "training" } },
  ];
  retire();
  await page.addInitScript(() => {
    const counted = { made: 0 };
    Object.assign(window, { counted });
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        counted.made++;
      }
    };
  });
  await page.goto(site.origin);
  await page.getByRole("button", { name: "Start training" }).click();
  await page.getByRole("heading", { name: "Your part" }).waitFor();
  const connections = () =>
    page.evaluate(() => ("counted" in window ? (window.counted as { made: number }).made : Number.NaN));
  return { connections };
}
/** The code for sharing, an announcement, and the manifest, which whoever announces itself reads first (rule S3). */
const sharing = () =>
  site.asked.filter(
    (path) => path.startsWith(ROUTES.peers) || path === ROUTES.manifest || /share-/.test(path),
  );

describe("sharing with other visitors (K4)", () => {
  it("is off until its own box is ticked: nothing of it is loaded, and nobody contacted", async () => {
    const { connections } = await visit(true);
    const box = page.getByRole("checkbox", { name: "Share with other visitors" });
    await box.waitFor();
    expect(await box.isChecked()).toBe(false);
    await expect(page.getByText(/see your internet address/).count()).resolves.toBe(1);
    expect(sharing()).toEqual([]);
    expect(await connections()).toBe(0);
    await box.check(); // the control
    await expect.poll(sharing).toContain(ROUTES.manifest);
    expect(sharing().some((path) => /share-/.test(path))).toBe(true);
    await box.uncheck();
    const before = sharing().length;
    await page.getByRole("checkbox", { name: "Share with other visitors" }).waitFor();
    expect(sharing().length - before).toBeLessThanOrEqual(1); // one may have been under way
    expect(site.asked).not.toContain(SIGNALLING_PATH);
  });

  it("is not offered where the run does without", async () => {
    await visit(false);
    expect(await page.getByRole("checkbox", { name: "Share with other visitors" }).count()).toBe(0);
  });
});
