import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { here, serverOf } from "../../../protocol/address.ts";
import type { SiteCount } from "../../../protocol/operator.ts";
import { timelyFetch } from "../../transport/timely-fetch.ts";
import { ColumnHeads } from "../../ui/column-heads.tsx";
import { formatCount, formatLarge } from "../../ui/format.ts";
import { Card } from "../parts.tsx";
import { asOrigin } from "./origin.ts";
import { badgeOf, policyOf, styleOf, tagOf, USUAL, type Wishes } from "./snippet.ts";
import { text } from "./strings.ts";

const said = signal("");

/** The tag for a site, made to measure, and what came by way of which site. */
export function Embedding({ sites }: { readonly sites: readonly SiteCount[] }) {
  const [wishes, setWishes] = useState<Wishes>(USUAL);
  const [site, setSite] = useState(sites[0]?.origin ?? "");
  const integrity = useIntegrity();
  const server = serverOf(location.href);
  const origin = asOrigin(site);
  const unnamed = sites.length > 0 && origin !== undefined && !sites.some((one) => one.origin === origin);
  return (
    <Card title={text.title}>
      <p class="note">{text.help}</p>
      <Form wishes={wishes} setWishes={setWishes} site={site} setSite={setSite} />
      {unnamed && <p class="notice">{text.notNamed(`--embed-on ${origin}`)}</p>}
      <Snippet name={text.tag} code={tagOf(server, wishes, integrity)} />
      <Snippet name={text.style} code={styleOf(server, wishes)} />
      <Snippet name={text.policy} code={policyOf(server)} />
      <Snippet name={text.badge} code={badgeOf(server, sites.length > 0 && !unnamed ? site : "")} />
      <p class="said" role="status">
        {said.value}
      </p>
      {sites.length > 0 ? (
        <Counts sites={sites} />
      ) : (
        <p class="note">
          {text.anySite} <code>--embed-on {origin ?? "https://blog.example"}</code>
        </p>
      )}
    </Card>
  );
}

interface FormProps {
  readonly wishes: Wishes;
  readonly setWishes: (wishes: Wishes) => void;
  readonly site: string;
  readonly setSite: (site: string) => void;
}

function Form({ wishes, setWishes, site, setSite }: FormProps) {
  const number = (
    key: "share" | "budget" | "width",
    name: string,
    help: string,
    least: number,
    most: number,
  ) => {
    const set = (value: number) => setWishes({ ...wishes, [key]: value });
    return <NumberField {...{ name, help, least, most, set }} value={wishes[key]} />;
  };
  return (
    <form class="settings" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span>{text.site}</span>
        <input
          value={site}
          placeholder="https://blog.example"
          onInput={({ currentTarget }) => setSite(currentTarget.value)}
        />
        <small>{text.siteHelp}</small>
      </label>
      <label>
        <span>{text.label}</span>
        <input
          value={wishes.label}
          maxLength={80}
          placeholder={text.labelUsual}
          onInput={({ currentTarget }) => setWishes({ ...wishes, label: currentTarget.value })}
        />
      </label>
      <label>
        <span>{text.theme}</span>
        <select
          value={wishes.theme}
          onChange={({ currentTarget: { value } }) => {
            if (value === "auto" || value === "light" || value === "dark")
              setWishes({ ...wishes, theme: value });
          }}
        >
          {Object.entries(text.themes).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {number("share", text.share, text.shareHelp, 10, 100)}
      {number("budget", text.budget, text.budgetHelp, 0, 100_000)}
      {number("width", text.width, "", 240, 1_200)}
      {(["ask", "pinned"] as const).map((key) => (
        <label class="check" key={key}>
          <input
            type="checkbox"
            checked={wishes[key]}
            onChange={({ currentTarget }) => setWishes({ ...wishes, [key]: currentTarget.checked })}
          />
          <span>{text[key]}</span>
        </label>
      ))}
    </form>
  );
}

interface NumberFieldProps {
  readonly name: string;
  readonly help: string;
  readonly least: number;
  readonly most: number;
  readonly value: number;
  set(value: number): void;
}

/**
 * A number within bounds. The page is drawn again at every version: a half-typed number has to stay as it is until the
 * field is left.
 */
function NumberField({ name, help, least, most, value, set }: NumberFieldProps) {
  const [typed, setTyped] = useState<string>();
  return (
    <label>
      <span>{name}</span>
      <input
        type="number"
        min={least}
        max={most}
        value={typed ?? value}
        onInput={({ currentTarget: { value: text, valueAsNumber: number } }) => {
          setTyped(text);
          if (number >= least && number <= most) set(number);
        }}
        onBlur={() => setTyped(undefined)}
      />
      <small>{help}</small>
    </label>
  );
}

function Snippet({ name, code }: { readonly name: string; readonly code: string }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code);
      said.value = text.copied(name); // another word for each, or it is not said aloud again
    } catch {
      said.value = text.notCopied;
    }
  };
  return (
    <figure class="snippet">
      <figcaption>{name}</figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <section class="code" tabIndex={0} aria-label={name}>
        <pre>
          <code>{code}</code>
        </pre>
      </section>
      <button type="button" class="quiet" aria-label={text.copy(name)} onClick={() => void copy()}>
        {text.copyShort}
      </button>
    </figure>
  );
}

function Counts({ sites }: { readonly sites: readonly SiteCount[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label={text.counts}>
      <table class="sites stacked">
        <ColumnHeads columns={text.columns} />
        <tbody>
          {sites.map(({ origin, volunteers, tickets, tokens }) => (
            <tr key={origin}>
              <th scope="row">{origin}</th>
              <td data-label={text.columns[1]}>{formatCount(volunteers)}</td>
              <td data-label={text.columns[2]}>{formatCount(tickets)}</td>
              <td data-label={text.columns[3]}>{formatLarge(tokens)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The loader's hash as it is served now, for a tag that pins it. */
function useIntegrity(): string | undefined {
  const [integrity, setIntegrity] = useState<string>();
  useEffect(() => {
    void (async () => {
      const loader = await (await timelyFetch()(here("/embed.js"))).arrayBuffer();
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-384", loader));
      setIntegrity(`sha384-${btoa(String.fromCharCode(...hash))}`);
    })().catch(() => {}); // without it the tag is not pinned
  }, []);
  return integrity;
}
