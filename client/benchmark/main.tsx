import { serverOf } from "../../protocol/address.ts";
import { mountEnglish } from "../ui/mount.ts";
import { createBench, spawnBench } from "./bench.ts";
import { BenchPage } from "./page.tsx";
import { isConfig } from "./workload.ts";

/** The bench page. `?config=anchor` chooses the size beforehand. */
const asked = new URLSearchParams(location.search).get("config");
const bench = createBench(spawnBench, serverOf(location.href));
void mountEnglish(<BenchPage bench={bench} config={isConfig(asked) ? asked : "small"} />);
