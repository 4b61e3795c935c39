import { httpApi } from "../../client/transport/http.ts";

/** An Api whose server answers every request with `answer`. */
export function against(answer: (request: Request) => Response | Promise<Response>) {
  const requests: Request[] = [];
  const traffic = { down: 0, up: 0 };
  const api = httpApi({
    server: "http://run.test",
    fetch: async (url, init) => {
      const request = new Request(url instanceof Request ? url : String(url), init);
      requests.push(request.clone());
      return answer(request);
    },
    traffic: (down, up) => {
      traffic.down += down;
      traffic.up += up;
    },
  });
  return { api, requests, traffic };
}
