import { createElement, Fragment, type VNode } from "preact";
import { describe, expect, it } from "vitest";
import { setTextsWhole } from "./whole-text.ts";

setTextsWhole();

const textOf = (vnode: VNode) => Reflect.get(vnode.props, "textContent");
const childrenOf = (vnode: VNode) => {
  const { children } = vnode.props;
  return Array.isArray(children) ? children : [children];
};

describe("an element's text is set as a whole", () => {
  it("joins what it is made of, and leaves out what is shown as nothing", () => {
    const vnode = createElement("p", null, "Version ", 3, null, false, ".");
    expect(textOf(vnode)).toBe("Version 3.");
    expect(vnode.props.children).toBeUndefined();
  });

  it("beside elements each text has an element of its own, in the same place, and blanks stay", () => {
    const link = createElement("a", { href: "/" }, "there");
    const [before, blank, same, nothing, after] = childrenOf(
      createElement("p", null, "Look ", " ", link, null, "now"),
    );
    expect(textOf(before as VNode)).toBe("Look ");
    expect(blank).toBe(" ");
    expect(same).toBe(link);
    expect(nothing).toBeNull();
    expect(textOf(after as VNode)).toBe("now");
  });

  it("holds within fragments and lists, whose texts stand beside whatever is around them", () => {
    const [inFragment] = childrenOf(createElement(Fragment, null, "alone"));
    expect(textOf(inFragment as VNode)).toBe("alone");
    const [list] = childrenOf(createElement("p", null, ["one", "two"], createElement("b", null)));
    expect((list as VNode[]).map(textOf)).toEqual(["one", "two"]);
  });

  it("leaves alone what holds no markup", () => {
    expect(createElement("textarea", null, "typed").props.children).toBe("typed");
  });
});
