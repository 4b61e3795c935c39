import { mount } from "../ui/mount.ts";
import { watchRunInBrowser } from "../ui/watch.ts";
import { createPupil, spawnPupil } from "./network-client.ts";
import { How } from "./page.tsx";

/** The page about training: wires the browser to it. */
mount(<How watch={watchRunInBrowser()} pupil={createPupil(spawnPupil)} />);
