import { here } from "../../../protocol/address.ts";
import type { TeamId } from "../../../protocol/ids.ts";
import { personPage } from "../../../protocol/person.ts";
import { ROUTES } from "../../../protocol/routes.ts";
import { parseTeam, type Team } from "../../../protocol/team.ts";
import { ColumnHeads } from "../../ui/column-heads.tsx";
import { formatCount, formatLarge } from "../../ui/format.ts";
import type { Ask } from "./check.ts";
import { Loaded } from "./loaded.tsx";
import { words } from "./strings.ts";
import { Summary } from "./summary.tsx";

/** What a team gave (rule U8). Names are strangers' words: text nodes only. */
export function TeamPage({ id, ask }: { readonly id: TeamId; readonly ask: Ask }) {
  const load = async () => {
    const found = await ask(ROUTES.team(id));
    return found && parseTeam(found);
  };
  return <Loaded load={load}>{(team) => <About team={team} />}</Loaded>;
}

function About({ team: { name, tokens, recent, members, people } }: { readonly team: Team }) {
  return (
    <>
      <Summary
        {...{ name, tokens, recent }}
        lead={words.teamLead}
        figure={[words.members, formatCount(members)]}
      />
      {people.length > 0 && (
        <section class="card" aria-labelledby="people-title">
          <h2 id="people-title">{words.people}</h2>
          <p class="note">{words.peopleHelp}</p>
          <table>
            <ColumnHeads columns={words.peopleColumns} />
            <tbody>
              {people.map((one) => (
                <tr key={one.name}>
                  <th scope="row">
                    {one.page === undefined ? (
                      <bdi>{one.name}</bdi>
                    ) : (
                      <a href={here(personPage(one.page))}>
                        <bdi>{one.name}</bdi>
                      </a>
                    )}
                  </th>
                  <td>{formatLarge(one.tokens)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}
