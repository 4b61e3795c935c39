import { serverOf } from "../../protocol/address.ts";
import { mount } from "../pages/mount.ts";
import { watchRunInBrowser } from "../pages/watch.ts";
import { Playground } from "./page.tsx";
import { createWriter, spawnWriter } from "./writer.ts";

/** The playground: wires the browser to the page. */
const writer = createWriter(spawnWriter, serverOf(location.href));
mount(<Playground watch={watchRunInBrowser()} writer={writer} />);
