import { expect, it } from "vitest";
import { Exposition } from "./exposition.ts";

it("a metric and a tally are written as Prometheus reads them, whatever their labels and values are", () => {
  const exposition = new Exposition("run_");
  exposition.metric("volunteers", "Who is here", 2.5);
  exposition.tally("refused_total", "Refused since the start", "code", {
    stale: 3,
    'a"\\\nb': Number.POSITIVE_INFINITY,
  });
  exposition.tally("empty", "None yet", "code", {});
  exposition.metric("unknown", "Not known", Number.NaN);
  expect(exposition.text).toBe(
    [
      "# HELP run_volunteers Who is here",
      "# TYPE run_volunteers gauge",
      "run_volunteers 2.5",
      "# HELP run_refused_total Refused since the start",
      "# TYPE run_refused_total counter",
      'run_refused_total{code="stale"} 3',
      'run_refused_total{code="a\\"\\\\\\nb"} +Inf',
      "# HELP run_empty None yet",
      "# TYPE run_empty gauge",
      "# HELP run_unknown Not known",
      "# TYPE run_unknown gauge",
      "run_unknown NaN",
      "",
    ].join("\n"),
  );
});
