import { expect, it } from "vitest";
import { LOBBY_ROUTES } from "../../../protocol/lobby.ts";
import { OPERATOR_ROUTES } from "../../../protocol/operator.ts";
import { exampleRuns } from "../../../test/browser/example-runs.ts";
import { type Ask, Refused } from "../api-client.ts";
import { openRuns } from "./runs-client.ts";

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function opened(answer: Ask, hash = "") {
  const asked: unknown[] = [];
  const later: (() => void)[] = [];
  const client = openRuns({
    ask: (path, body) => {
      asked.push(body === undefined ? path : [path, body]);
      return answer(path, body);
    },
    after: (_, callback) => void later.push(callback),
    ...{ hash, path: "/train/", forgetHash: () => asked.push("forgotten") },
  });
  return { client, asked, later };
}

const signedIn: Ask = async () => ({ ...exampleRuns() });

it("signs in with the link in the address, for the path of the page, and lists the runs as the server says them", async () => {
  const { client, asked, later } = opened(signedIn, "#link=abc");
  await settled();
  expect(asked).toEqual([
    "forgotten",
    [OPERATOR_ROUTES.signIn, { link: "abc", path: "/train/" }],
    LOBBY_ROUTES.operatorRuns,
  ]);
  expect(client.access.value).toBe("signed-in");
  expect(client.runs.value).toEqual(exampleRuns());
  expect(later).toHaveLength(1);
});

it("says what was done or why it was not, and keeps what is shown while the server is away", async () => {
  let refusal: Error | undefined;
  const { client } = opened(async (path, body) => {
    if (refusal !== undefined) throw refusal;
    return signedIn(path, body);
  });
  await settled();
  expect(await client.act({ action: "create", id: "new" }, "new is made")).toBe(true);
  expect(client.said.value).toBe("new is made");
  refusal = new Refused("name-taken", "there is a run new already");
  expect(await client.act({ action: "create", id: "new" }, "new is made")).toBe(false);
  expect(client.said.value).toContain("there is a run new already");
  expect(client.access.value).toBe("away");
  expect(client.runs.value).toEqual(exampleRuns());
});

it("shows nothing to who is not signed in, and does not ask again", async () => {
  const { client, later } = opened(async () => {
    throw new Refused("not-signed-in", "sign in");
  });
  await settled();
  expect(client.access.value).toBe("signed-out");
  expect(client.runs.value).toBeUndefined();
  expect(later).toEqual([]);
});
