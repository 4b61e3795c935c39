import { type BucketEnvironment, bucketTarget } from "./bucket-target.ts";
import { directoryTarget } from "./directory-target.ts";
import type { MirrorTarget } from "./target.ts";

/** The place that an operator named: `s3://BUCKET/PREFIX`, or a directory. Rejects with a MirrorError, or the system's error. */
export async function openTarget(place: string, environment: BucketEnvironment): Promise<MirrorTarget> {
  return place.startsWith("s3://") ? bucketTarget(place, environment) : directoryTarget(place);
}
