import { serverOf } from "../../protocol/address.ts";
import { mount } from "../ui/mount.ts";
import { watchRunInBrowser } from "../ui/watch.ts";
import { createGenerator, spawnGenerator } from "../writer/generator-client.ts";
import { writerStrings } from "../writer/strings.ts";
import { Playground } from "./page.tsx";
import { playgroundStrings } from "./strings.ts";

/** The playground: wires the browser to the page. */
const generator = createGenerator(spawnGenerator, serverOf(location.href));
void mount(<Playground watch={watchRunInBrowser()} generator={generator} />, [
  playgroundStrings,
  writerStrings,
]);
