import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { here } from "../../../protocol/address.ts";
import { type ErrorCode, ProtocolError } from "../../../protocol/errors.ts";
import type { Identity } from "../../../protocol/identity.ts";
import { type Leader, MAX_NAME_CHARS } from "../../../protocol/people.ts";
import { personPage } from "../../../protocol/person.ts";
import type { TeamSum } from "../../../protocol/team.ts";
import { browserCache, forgetServer } from "../../cache/browser.ts";
import { readIdentity } from "../../cache/entries.ts";
import { keepLanguage } from "../../language/current.ts";
import { peopleApi } from "../../transport/people.ts";
import { browserStorage } from "../../ui/browser-storage.ts";
import { ColumnHeads } from "../../ui/column-heads.tsx";
import { refusalReason } from "../lines.ts";
import { posts, server } from "../session/posts.ts";
import { Confirm } from "./confirm.tsx";
import { download } from "./download.ts";
import { KeyPanel } from "./key-panel.tsx";
import type { PeopleProps } from "./props.ts";
import { words } from "./strings.ts";
import { Teams } from "./teams.tsx";

const api = peopleApi(posts);

/** A name is the only thing here that the server can find fault with. */
const whyRefused = (code: ErrorCode): string =>
  code === "bad-request" ? words.badName : refusalReason(code);

/** Names of volunteers, the visitor's own, and the data held about it. Names come from strangers: text nodes only. */
export function PeoplePanel(props: PeopleProps) {
  const leaders = useSignal<readonly Leader[] | undefined>(undefined);
  const teams = useSignal<readonly TeamSum[] | undefined>(undefined);
  const said = useSignal("");
  const list = async () => {
    leaders.value = await api.leaders().catch(() => undefined);
    teams.value = await api.teams().catch(() => undefined);
    if (leaders.value === undefined) said.value = words.failed;
  };
  useEffect(() => void list(), []);

  /** Does something with the key of this browser, and says how it went. */
  async function withKey(work: (identity: Identity) => Promise<string>): Promise<void> {
    said.value = words.loading;
    try {
      const run = props.watch.status.value?.run;
      const identity = run && (await readIdentity(browserCache(server, run)));
      said.value = identity ? await work(identity) : words.noKey;
    } catch (error) {
      said.value = error instanceof ProtocolError ? words.refused(whyRefused(error.code)) : words.failed;
    }
  }

  return (
    <div class="people">
      <section aria-labelledby="leaders-title">
        <h3 id="leaders-title">{words.leaders}</h3>
        <p class="note">{words.leadersHelp}</p>
        <Leaders list={leaders.value} />
      </section>
      <Name
        set={(name, page) =>
          withKey(async (identity) => {
            const kept = await api.rename(identity, name, page);
            await list();
            return kept === undefined ? words.unnamed : words.named(kept) + (page ? words.paged : "");
          })
        }
      />
      <Teams
        list={teams}
        join={(name) =>
          withKey(async (identity) => {
            const kept = await api.joinTeam(identity, name);
            await list();
            return kept === undefined ? words.teamLeft : words.teamJoined(kept);
          })
        }
      />
      <KeyPanel
        {...props}
        withKey={withKey}
        say={(line) => {
          said.value = line;
        }}
      />
      <Data {...props} withKey={withKey} done={list} />
      <p class="said" role="status">
        {said.value}
      </p>
    </div>
  );
}

function Leaders({ list }: { readonly list: readonly Leader[] | undefined }) {
  if (list === undefined) return <p class="wait">{words.loading}</p>;
  if (list.length === 0) return <p class="wait">{words.nobody}</p>;
  return (
    <table class="leaders">
      <ColumnHeads columns={words.columns} />
      <tbody>
        {list.map(({ name, tokens, recent, page }) => (
          <tr key={name}>
            <th scope="row">
              {page === undefined ? (
                <bdi>{name}</bdi>
              ) : (
                <a href={here(personPage(page))}>
                  <bdi>{name}</bdi>
                </a>
              )}
            </th>
            <td>{words.tokens(tokens)}</td>
            <td>{words.tokens(recent)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface NameProps {
  readonly set: (name: string | null, page: boolean) => Promise<void>;
}

function Name({ set }: NameProps) {
  const name = useSignal("");
  const page = useSignal(false);
  return (
    <form
      aria-labelledby="name-title"
      onSubmit={(event) => {
        event.preventDefault();
        void set(name.value, page.value);
      }}
    >
      <h3 id="name-title">{words.name}</h3>
      <p class="note" id="name-help">
        {words.nameHelp}
      </p>
      <input
        type="text"
        required
        maxLength={MAX_NAME_CHARS}
        autocomplete="nickname"
        aria-labelledby="name-title"
        aria-describedby="name-help"
        value={name.value}
        onInput={(event) => {
          name.value = event.currentTarget.value;
        }}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={page.value}
          onChange={({ currentTarget }) => {
            page.value = currentTarget.checked;
          }}
        />
        {words.page}
      </label>
      <div class="buttons">
        <button type="submit">{words.save}</button>
        <button type="button" class="quiet" onClick={() => void set(null, false)}>
          {words.remove}
        </button>
      </div>
    </form>
  );
}

interface DataProps extends PeopleProps {
  readonly withKey: (work: (identity: Identity) => Promise<string>) => Promise<void>;
  readonly done: () => Promise<void>;
}

function Data({ session, refusals, withKey, done }: DataProps) {
  return (
    <section aria-labelledby="data-title">
      <h3 id="data-title">{words.data}</h3>
      <p class="note">{words.dataHelp}</p>
      <div class="buttons">
        <button
          type="button"
          onClick={() =>
            void withKey(async (identity) => {
              download("murmuration-my-data.json", JSON.stringify(await api.data(identity), null, 2));
              return words.exported;
            })
          }
        >
          {words.export}
        </button>
      </div>
      <Confirm
        ask={words.remember}
        text={words.forgetText}
        yes={words.forget}
        confirm={() =>
          withKey(async (identity) => {
            await api.forget(identity);
            session.revoke();
            refusals.forget();
            keepLanguage(browserStorage(), undefined);
            await forgetServer(server);
            await done();
            return words.forgotten;
          })
        }
      />
    </section>
  );
}
