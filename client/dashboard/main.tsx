import { signal } from "@preact/signals";
import { render } from "preact";
import { watchRunInBrowser } from "../pages/watch.ts";
import { type Activity, withActivity } from "./activity.ts";
import { Dashboard } from "./dashboard.tsx";

/** The operator's status page: reads, and changes nothing. */
const activity = signal<readonly Activity[]>([]);
const watch = watchRunInBrowser((event) => {
  activity.value = withActivity(activity.value, event, new Date());
});

const page = document.getElementById("page");
if (page !== null) render(<Dashboard watch={watch} activity={activity} />, page);
