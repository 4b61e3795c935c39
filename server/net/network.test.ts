import { expect, test } from "vitest";
import { Networks, prefixOf } from "./network.ts";

test.each([
  ["203.0.113.7", "203.0.113.0/24"],
  ["::ffff:203.0.113.7", "203.0.113.0/24"],
  ["::ffff:cb00:7107", "203.0.113.0/24"],
  ["2001:DB8:12:3456::1", "2001:db8:12::/48"],
  ["2001:db8::1", "2001:db8:0::/48"],
])("A23: %s is of %s", (address, prefix) => {
  expect(prefixOf(address)).toBe(prefix);
});

test.each([
  ...[
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "10.1.2.3",
    "172.17.0.1",
    "192.168.1.4",
    "169.254.1.1",
    "0.0.0.0",
  ],
  ...["fe80::1%eth0", "fd00::1", "::", "unknown", "", "1.2.3", "example.org", "203.0.113.7, 1.2.3.4"],
])("A23: %j tells of no network: behind an unnamed proxy all the world has it", (address) => {
  expect(prefixOf(address)).toBeUndefined();
});

test("A23: neighbours share a name that tells nothing of the address, and another process gives another", () => {
  const networks = new Networks();
  const name = networks.nameOf("203.0.113.7");
  expect(name).toBe(networks.nameOf("203.0.113.250"));
  expect(name).not.toBe(networks.nameOf("203.0.114.7")); // the control
  expect(name).not.toContain("203");
  expect(name).not.toBe(new Networks().nameOf("203.0.113.7"));
  expect(networks.nameOf("127.0.0.1")).toBeUndefined();
});

test("A23: servers of a run that share a key give a network one name", () => {
  const [leader, edge] = [new Networks(), new Networks()];
  edge.share(leader.key);
  expect(edge.nameOf("203.0.113.7")).toBe(leader.nameOf("203.0.113.250"));
  expect(edge.nameOf("203.0.113.7")).not.toBe(leader.nameOf("203.0.114.7"));
});
