/**
 * Chromium's features that no test has a use for. Of two such flags Chromium takes the last, so that these stand for
 * Playwright's as well. A spare renderer, made ready for a page that may never come, takes a quarter of all that
 * renderers do in tests.
 */
const DISABLED = [
  "SpareRendererForSitePerProcess",
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "MediaRouter",
  "PaintHolding",
  "ThirdPartyStoragePartitioning",
  "OptimizationHints",
];

/** Else a page's own address is a name that only the local network's multicast resolves, which containers lack. */
const NO_MDNS = ["WebRtcHideLocalIpsWithMdns"];

/**
 * How tests and benches start Chromium. With `webgpu`, on SwiftShader: WebGPU as specified, in software, so that
 * machines without a GPU run the same code. Chromium's own background traffic is off.
 */
export const chromiumFlags = ({ webgpu = false, peers = false } = {}): string[] => [
  "--no-sandbox", // tests run as root in containers
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
  // What moves for the eye alone is painted by the processor here: a tenth of the time of pages that train.
  "--force-prefers-reduced-motion",
  // Else pages rest for heat whenever other tests keep the machine busy; rests.test.ts brings an observer of its own.
  "--disable-blink-features=ComputePressure",
  `--disable-features=${[...DISABLED, ...(peers ? NO_MDNS : [])].join()}`,
  ...(webgpu ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] : []),
];
