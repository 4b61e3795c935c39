/** The page's messages to the small network's Worker. */
export type PupilCommand =
  /** Learns, or goes on learning. */
  | { readonly type: "start" }
  | { readonly type: "pause" }
  /** One adjustment, then rest. */
  | { readonly type: "one" }
  /** Forgets all that was learnt. */
  | { readonly type: "reset" }
  /** Without the pauses that let a person follow. */
  | { readonly type: "hurry"; readonly hurry: boolean }
  /** Shows another digit. */
  | { readonly type: "another" };

/** The Worker's messages to the page. */
export type PupilReport =
  | { readonly type: "phase"; readonly phase: PupilPhase }
  | { readonly type: "lesson"; readonly lesson: Lesson }
  | { readonly type: "exam"; readonly exam: Exam };

export type PupilPhase =
  | { readonly phase: "loading" | "resting" | "learning" | "finished" }
  | { readonly phase: "failed"; readonly detail: string };

/** The network in the middle of learning, looked at through one digit. */
export interface Lesson {
  readonly step: number;
  /** Loss of the last batch in nats; none before the first. */
  readonly loss: number | undefined;
  /** [8, 5, 5]. */
  readonly filters: Float32Array;
  readonly digit: Drawn;
  /** [8, 24, 24]. */
  readonly maps: Float32Array;
  /** [10]. */
  readonly probabilities: Float32Array;
}

export interface Drawn {
  /** [28, 28], 0 to 1. */
  readonly pixels: Float32Array;
  readonly label: number;
}

/** How it does on digits that it never learnt from. */
export interface Exam {
  readonly step: number;
  /** 0 to 1. */
  readonly right: number;
  readonly of: number;
  readonly shown: readonly Answer[];
}

export interface Answer extends Drawn {
  readonly guess: number;
  readonly probability: number;
}
