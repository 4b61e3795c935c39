import { mount } from "../../pages/mount.ts";
import { watchRunInBrowser } from "../../pages/watch.ts";
import { askWith } from "../founding/ask.ts";
import { openNursery } from "../founding/nursery.ts";
import { openLines } from "./lines.ts";
import { openOffice } from "./office.ts";
import { OperatorPage } from "./page.tsx";

/** The operator's page: signs in with the link in the address, and then watches and steers the run. */
const after = (ms: number, callback: () => void) => void setTimeout(callback, ms);
const nursery = openNursery({ ask: askWith((input, init) => fetch(input, init)), after });
const office = openOffice({
  fetch: (input, init) => fetch(input, init),
  after,
  lookAtFounding: nursery.look,
  reload: () => location.reload(),
  hash: location.hash,
  forgetHash: () => history.replaceState(null, "", location.pathname),
});

const { lines, hear } = openLines(office.overview);
const watch = watchRunInBrowser(hear);

mount(<OperatorPage office={office} nursery={nursery} watch={watch} activity={lines} />);
