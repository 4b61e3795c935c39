import { render } from "preact";
import { watchRunInBrowser } from "../pages/watch.ts";
import { How } from "./page.tsx";
import { createPupil, spawnPupil } from "./pupil.ts";

/** The page about training: wires the browser to it. */
const page = document.getElementById("page");
if (page !== null) render(<How watch={watchRunInBrowser()} pupil={createPupil(spawnPupil)} />, page);
