function post(body: ReadableStream, headers: Record<string, string>): Request {
  const init = { method: "POST", body, headers, duplex: "half" }; // duplex: Node's, absent from the DOM's types
  return new Request("http://x/", init);
}

/** A request whose body the test feeds, with any headers: what a socket may claim. */
export function fed(headers: Record<string, string> = {}) {
  let feed: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      feed = controller;
    },
    cancel: () => {
      cancelled = true;
    },
  });
  const request = post(body, headers);
  return {
    request,
    push: (n: number) => feed?.enqueue(new Uint8Array(n)),
    pushBytes: (bytes: Uint8Array) => feed?.enqueue(bytes),
    end: () => feed?.close(),
    breakOff: () => feed?.error(new Error("socket hang up")),
    wasCancelled: () => cancelled,
  };
}
