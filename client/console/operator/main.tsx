import { timelyFetch } from "../../transport/timely-fetch.ts";
import { mountEnglish } from "../../ui/mount.ts";
import { watchRunInBrowser } from "../../ui/watch.ts";
import { askWith } from "../api-client.ts";
import { openSetup } from "../setup/setup-client.ts";
import { openLines } from "./lines.ts";
import { openOperator } from "./operator-client.ts";
import { OperatorPage } from "./page.tsx";
import { openTexts } from "./text-client.ts";

/** The operator's page: signs in with the link in the address, and then watches and steers the run. */
const after = (ms: number, callback: () => void) => void setTimeout(callback, ms);
/** Milliseconds for an answer during setup: the server reads a whole text again before it confirms it. */
const SETUP_MS = 600_000;
const patient = { ask: askWith(timelyFetch(SETUP_MS)), after };
const setup = openSetup(patient);
const client = openOperator({
  ask: askWith(timelyFetch()),
  after,
  lookAtSetup: setup.look,
  reload: () => location.reload(),
  hash: location.hash,
  path: new URL(".", location.href).pathname,
  forgetHash: () => history.replaceState(null, "", location.pathname),
});

const { lines, hear } = openLines(client.overview);
const watch = watchRunInBrowser(hear);

void mountEnglish(
  <OperatorPage client={client} setup={setup} texts={openTexts(patient)} watch={watch} activity={lines} />,
);
