import { signal } from "@preact/signals";
import { createSession } from "../../client/volunteer/session/session.ts";
import { createTrainer } from "../../client/volunteer/session/worker-client.ts";
import type { Command, Report } from "../../client/worker/messages.ts";

/** A page with a Worker that only listens; `workers` are those ever started, with what they were told. */
export function page(kept: Record<string, string> = {}) {
  const workers: {
    commands: Command[];
    say(report: Report): void;
    die(why: string): void;
    ended: boolean;
  }[] = [];
  const late: (() => void)[] = [];
  const trainer = createTrainer(
    (say, die) => {
      const worker = { commands: [] as Command[], say, die, ended: false };
      workers.push(worker);
      return {
        post: (command) => worker.commands.push(command),
        terminate: () => {
          worker.ended = true;
        },
      };
    },
    (_, callback) => late.push(callback),
  );
  const hidden = signal(false);
  const left = signal(false);
  const onBattery = signal<boolean | undefined>(undefined);
  const savesData = signal<boolean | undefined>(undefined);
  const hot = signal<boolean | undefined>(undefined);
  const minute = signal(600);
  const now = signal(1_800_000_000_000);
  const session = createSession({
    trainer,
    server: "https://server.example",
    device: undefined,
    storage: {
      getItem: (key) => kept[key] ?? null,
      setItem: (key, value) => {
        kept[key] = value;
      },
      removeItem: (key) => {
        delete kept[key];
      },
    },
    rests: { hidden, left, onBattery, savesData, hot, minute, now },
  });
  const told = () => workers.at(-1)?.commands.map((command) => command.type) ?? [];
  return {
    session,
    trainer,
    workers,
    hidden,
    left,
    onBattery,
    savesData,
    hot,
    minute,
    now,
    kept,
    late,
    told,
  };
}

export const RUN = "9".repeat(64);
