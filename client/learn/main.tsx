import { mountEnglish } from "../ui/mount.ts";
import { watchRunInBrowser } from "../ui/watch.ts";
import { createNetworkClient, spawnNetwork } from "./network-client.ts";
import { How } from "./page.tsx";

/** The page about training: wires the browser to it. */
void mountEnglish(<How watch={watchRunInBrowser()} network={createNetworkClient(spawnNetwork)} />);
