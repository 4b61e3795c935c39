import type { Intermediary } from "../../protocol/intermediary.ts";
import { common } from "./strings.ts";

/** A page's notice while its server is away: `plain`, or who answered in its place, where that is known. */
export function awayNotice(why: Intermediary | undefined, plain: string): string {
  if (why === undefined || why.kind === "unreachable") return plain;
  return common.keepsTrying(common.intermediary(why));
}
