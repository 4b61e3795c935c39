import { Speeds } from "../speeds.tsx";
import type { OperatorClient } from "./operator-client.ts";
import { text } from "./strings.ts";

/** The table of what visitors measured, and whether more of it is taken. */
export const TakenSpeeds = ({ client }: { readonly client: OperatorClient }) => (
  <Speeds
    again={client.said.value}
    actions={({ taken, rows }) => (
      <p class="buttons">
        <button
          type="button"
          onClick={() => void client.act({ action: taken ? "refuse-speeds" : "take-speeds" })}
        >
          {taken ? text.refuseSpeeds : text.takeSpeeds}
        </button>
        <button
          type="button"
          disabled={rows.length === 0}
          onClick={() => void client.act({ action: "forget-speeds" })}
        >
          {text.forgetSpeeds}
        </button>
      </p>
    )}
  />
);
