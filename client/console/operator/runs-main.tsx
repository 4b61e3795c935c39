import { timelyFetch } from "../../transport/timely-fetch.ts";
import { mountEnglish } from "../../ui/mount.ts";
import { askWith } from "../api-client.ts";
import { openRuns } from "./runs-client.ts";
import { RunsPage } from "./runs-page.tsx";

/** The page of the operator of all runs of a server. */
const client = openRuns({
  ask: askWith(timelyFetch()),
  after: (ms, callback) => void setTimeout(callback, ms),
  hash: location.hash,
  path: new URL(".", location.href).pathname,
  forgetHash: () => history.replaceState(null, "", location.pathname),
});

void mountEnglish(<RunsPage client={client} />);
