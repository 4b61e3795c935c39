/** Milliseconds a Worker has to send its first message; after that it has not started. */
const FIRST_WORD_MS = 45_000;

/**
 * Listens to a module Worker. `died` is called, once, with why it is of no use: its script could not be loaded, it threw, or it never
 * said anything; it is ended then.
 */
export function listenToWorker<Report>(
  worker: Worker,
  heard: (report: Report) => void,
  died: (why: string) => void,
): void {
  const end = (why: string) => {
    clearTimeout(silence);
    worker.terminate();
    died(why);
  };
  const silence = setTimeout(() => end("the script did not begin"), FIRST_WORD_MS);
  worker.addEventListener("message", ({ data }: MessageEvent<Report>) => {
    clearTimeout(silence);
    heard(data);
  });
  worker.addEventListener(
    "error",
    (event) => {
      event.preventDefault();
      end(event.message || "the script could not be loaded");
    },
    { once: true },
  );
}
