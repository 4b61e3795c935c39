import { signal } from "@preact/signals";
import { mountEnglish } from "../../ui/mount.ts";
import { watchRunInBrowser } from "../../ui/watch.ts";
import { type Activity, withActivity } from "../activity.ts";
import { Dashboard } from "./page.tsx";

/** The operator's status page: reads, and changes nothing. */
const activity = signal<readonly Activity[]>([]);
const watch = watchRunInBrowser((event) => {
  activity.value = withActivity(activity.value, event, new Date());
});

void mountEnglish(<Dashboard watch={watch} activity={activity} />);
