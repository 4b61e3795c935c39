/** The publisher's activity: it does one thing at a time. */
export type Activity = "idle" | "recording" | "merging" | "rolling-back";

/** The transitions that are allowed. */
export type Step = "record" | "merge" | "roll-back" | "done";

/**
 * A roll-back may be asked for at any time: it takes the place of what is under way, and waits for its end before it
 * begins. Nothing else begins before the publisher is idle again.
 */
const NEXT: Readonly<Record<Activity, Partial<Record<Step, Activity>>>> = {
  idle: { record: "recording", merge: "merging", "roll-back": "rolling-back" },
  recording: { done: "idle", "roll-back": "rolling-back" },
  merging: { done: "idle", "roll-back": "rolling-back" },
  "rolling-back": { done: "idle" },
};

/** The activity after a step, or undefined where the step cannot be taken now. */
export const after = (activity: Activity, step: Step): Activity | undefined => NEXT[activity][step];
