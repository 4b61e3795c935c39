import { mount } from "../pages/mount.ts";
import { watchRunInBrowser } from "../pages/watch.ts";
import { How } from "./page.tsx";
import { createPupil, spawnPupil } from "./pupil.ts";

/** The page about training: wires the browser to it. */
mount(<How watch={watchRunInBrowser()} pupil={createPupil(spawnPupil)} />);
