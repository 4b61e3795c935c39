import { signal } from "@preact/signals";
import { render } from "preact";
import { formatCount, formatDuration } from "../../pages/format.ts";
import { watchRunInBrowser } from "../../pages/watch.ts";
import { type Activity, activityLine, withLine } from "../activity.ts";
import { askWith } from "../founding/ask.ts";
import { openNursery } from "../founding/nursery.ts";
import { openOffice } from "./office.ts";
import { OperatorPage } from "./page.tsx";
import { text } from "./strings.ts";

/** The operator's page: signs in with the link in the address, and then watches and steers the run. */
const activity = signal<readonly Activity[]>([]);
let refusedBefore: number | undefined;

const watch = watchRunInBrowser((event) => {
  activity.value = withLine(
    activity.value,
    event.type === "version" ? line(event) : activityLine(event),
    new Date(),
  );
});

function line({ version, deltas, ms }: { version: number; deltas: number; ms: number }): string {
  const status = watch.status.value;
  const refused = Object.values(status?.deltas.refused ?? {}).reduce((sum, times) => sum + times, 0);
  const came = deltas + Math.max(0, refused - (refusedBefore ?? refused));
  refusedBefore = refused;
  const loss = status?.heldOut.at(-1)?.loss;
  const told = loss === undefined ? "" : text.activityLoss(loss.toFixed(3));
  return text.activityVersion(
    formatCount(version),
    formatCount(deltas),
    formatCount(came),
    told,
    formatDuration(ms),
  );
}

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

const page = document.getElementById("page");
if (page !== null) {
  render(<OperatorPage office={office} nursery={nursery} watch={watch} activity={activity} />, page);
}
