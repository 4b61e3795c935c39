import { type Signal, useSignal } from "@preact/signals";
import { here } from "../../../protocol/address.ts";
import { MAX_NAME_CHARS } from "../../../protocol/people.ts";
import { type TeamSum, teamPage } from "../../../protocol/team.ts";
import { ColumnHeads } from "../../ui/column-heads.tsx";
import { words } from "./strings.ts";

interface TeamsProps {
  readonly list: Signal<readonly TeamSum[] | undefined>;
  /** Joins the team of that name, or with null leaves. */
  readonly join: (name: string | null) => Promise<void>;
}

/** Teams, and the way in and out. Their names come from strangers: text nodes only. */
export function Teams({ list, join }: TeamsProps) {
  const name = useSignal("");
  return (
    <form
      aria-labelledby="teams-title"
      onSubmit={(event) => {
        event.preventDefault();
        void join(name.value);
      }}
    >
      <h3 id="teams-title">{words.teams}</h3>
      <p class="note">{words.teamsHelp}</p>
      {list.value !== undefined && list.value.length > 0 && (
        <table class="leaders">
          <ColumnHeads columns={words.columns} />
          <tbody>
            {list.value.map((team) => (
              <tr key={team.id}>
                <th scope="row">
                  <a href={here(teamPage(team.id))}>
                    <bdi>{team.name}</bdi>
                  </a>
                </th>
                <td>{words.tokens(team.tokens)}</td>
                <td>{words.tokens(team.recent)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <label>
        {words.teamName}
        <input
          type="text"
          required
          maxLength={MAX_NAME_CHARS}
          autocomplete="off"
          value={name.value}
          onInput={({ currentTarget }) => {
            name.value = currentTarget.value;
          }}
        />
      </label>
      <div class="buttons">
        <button type="submit">{words.teamJoin}</button>
        <button type="button" class="quiet" onClick={() => void join(null)}>
          {words.teamLeave}
        </button>
      </div>
    </form>
  );
}
