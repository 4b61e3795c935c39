import type { Session } from "./session.ts";
import { text } from "./strings.ts";

interface SignInProps {
  readonly client: Pick<Session, "linkRefused">;
  /** The page for everybody, and its name. */
  readonly elsewhere: readonly [href: string, name: string];
}

/** What an operator without a session reads. */
export function SignIn({ client, elsewhere: [href, name] }: SignInProps) {
  const refused = client.linkRefused.value;
  return (
    <section class="card sign-in">
      <h1>{text.signedOut}</h1>
      <p role="status">{refused === "" ? text.signedOutHelp : refused}</p>
      <p>
        <code>{text.linkCommand}</code>
      </p>
      <p>
        <a href={href}>{name}</a>
      </p>
    </section>
  );
}
