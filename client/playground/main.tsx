import { render } from "preact";
import { serverOf } from "../../protocol/address.ts";
import { watchRunInBrowser } from "../pages/watch.ts";
import { Playground } from "./page.tsx";
import { createWriter, spawnWriter } from "./writer.ts";

/** The playground: wires the browser to the page. */
const page = document.getElementById("page");
if (page !== null) {
  const writer = createWriter(spawnWriter, serverOf(location.href));
  render(<Playground watch={watchRunInBrowser()} writer={writer} />, page);
}
