import { afterAll } from "vitest";
import { speak } from "../client/language/current.ts";

/** Files share their thread's modules: after one that spoke another language the next would format its numbers in it. */
afterAll(() => speak("en"));
