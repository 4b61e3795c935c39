import { here } from "../../../protocol/address.ts";
import { parseJson } from "../../../protocol/guards.ts";
import { isPersonId, isTeamId } from "../../../protocol/ids.ts";
import { timelyFetch } from "../../transport/timely-fetch.ts";
import { mount } from "../../ui/mount.ts";
import { PersonPage } from "./page.tsx";
import { personStrings } from "./strings.ts";
import { TeamPage } from "./team.tsx";

/** A person's page: what somebody who chose a name gave, and proofs that this browser checks. */
const fetching = timelyFetch();
const asked = new URLSearchParams(location.search);
const [id, team] = [asked.get("id"), asked.get("team")];

/** Asks for JSON; undefined where there is none. */
async function ask(path: string) {
  const answer = await fetching(here(path), { cache: "no-store" });
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return parseJson(new Uint8Array(await answer.arrayBuffer()));
}

void mount(
  isTeamId(team) ? (
    <TeamPage id={team} ask={ask} />
  ) : (
    <PersonPage id={isPersonId(id) ? id : undefined} ask={ask} />
  ),
  [personStrings],
);
