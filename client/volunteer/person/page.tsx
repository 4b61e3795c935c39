import { useSignal } from "@preact/signals";
import { here } from "../../../protocol/address.ts";
import type { PersonId } from "../../../protocol/ids.ts";
import { type Person, type PersonsDelta, parsePerson } from "../../../protocol/person.ts";
import { ROUTES } from "../../../protocol/routes.ts";
import { ColumnHeads } from "../../ui/column-heads.tsx";
import { formatCount, formatLarge } from "../../ui/format.ts";
import { type Ask, type Checked, checkProofs } from "./check.ts";
import { Loaded } from "./loaded.tsx";
import { words } from "./strings.ts";
import { Summary } from "./summary.tsx";

interface PersonPageProps {
  /** Undefined where the address names none. */
  readonly id: PersonId | undefined;
  readonly ask: Ask;
}

/** What a person gave (rule U7). The name is a stranger's word: text nodes only. */
export function PersonPage({ id, ask }: PersonPageProps) {
  const load = async () => {
    const found = id && (await ask(ROUTES.person(id)));
    return found && parsePerson(found);
  };
  return <Loaded load={load}>{(person) => <About person={person} ask={ask} />}</Loaded>;
}

function About({ person, ask }: { readonly person: Person; readonly ask: Ask }) {
  const { name, tokens, recent, merged, keys, deltas } = person;
  return (
    <>
      <Summary {...{ name, tokens, recent }} lead={words.lead} figure={[words.merged, formatCount(merged)]} />
      {keys > 1 && <p class="note">{words.keys(keys)}</p>}
      <section class="card" aria-labelledby="proofs-title">
        <h2 id="proofs-title">{words.proofs}</h2>
        <p class="note">{words.proofsHelp}</p>
        {deltas.length === 0 ? <p class="wait">{words.noProofs}</p> : <Proofs person={person} ask={ask} />}
      </section>
    </>
  );
}

function Proofs({ person, ask }: { readonly person: Person; readonly ask: Ask }) {
  const checked = useSignal<Checked | "busy" | "failed" | undefined>(undefined);
  const check = async () => {
    checked.value = "busy";
    checked.value = await checkProofs(ask, person).catch(() => "failed" as const);
  };
  return (
    <>
      <div class="buttons">
        <button type="button" disabled={checked.value === "busy"} onClick={() => void check()}>
          {words.check}
        </button>
      </div>
      <p role="status" class="said">
        {lineOf(checked.value)}
      </p>
      <table>
        <ColumnHeads columns={words.columns} />
        <tbody>
          {person.deltas.map((one) => (
            <Row key={one.ticket} {...one} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function Row({ ticket, version, tokens, delta }: PersonsDelta) {
  return (
    <tr>
      <th scope="row">{formatCount(version)}</th>
      <td>{formatLarge(tokens)}</td>
      <td>
        <a href={here(ROUTES.proof(ticket))} title={delta}>
          <code>{delta.slice(0, 10)}…</code>
        </a>
      </td>
    </tr>
  );
}

function lineOf(checked: Checked | "busy" | "failed" | undefined): string {
  if (checked === undefined) return "";
  if (typeof checked === "string") return checked === "busy" ? words.checking : words.away;
  return checked.hold === checked.of ? words.hold(checked.of) : words.broken(checked.hold, checked.of);
}
