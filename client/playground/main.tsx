import { serverOf } from "../../protocol/address.ts";
import { mountEnglish } from "../ui/mount.ts";
import { watchRunInBrowser } from "../ui/watch.ts";
import { createGenerator, spawnGenerator } from "./generator-client.ts";
import { Playground } from "./page.tsx";

/** The playground: wires the browser to the page. */
const generator = createGenerator(spawnGenerator, serverOf(location.href));
void mountEnglish(<Playground watch={watchRunInBrowser()} generator={generator} />);
