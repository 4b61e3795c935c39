import {
  type ComponentChild,
  type ComponentChildren,
  createElement,
  Fragment,
  options,
  type VNode,
} from "preact";

/**
 * Sets the text of pages by element, not by text node. A page translator puts elements of its own in the place of text
 * nodes; Preact would go on writing into the nodes that are gone, and the words would stay as they were. An element whose
 * content is set as a whole shows the new words, even where a translator had changed the old ones, and keeps its focus.
 */

/** Beside elements a text needs one of its own. No style sheet names it: it looks like the bare text. */
const TEXT = "m-text";
/** Their content is no markup, so that no translator touches it. */
const PLAIN: ReadonlySet<string> = new Set(["textarea", "script", "style"]);

const isText = (child: ComponentChild): child is string | number | bigint =>
  typeof child === "string" || typeof child === "number" || typeof child === "bigint";
/** Translators leave blanks alone, and a blank in an element of its own would take room in a row. */
const isBlank = (child: string | number | bigint): boolean => String(child).trim() === "";
const isNothing = (child: ComponentChild): boolean => child == null || typeof child === "boolean";

/** From now on every element that Preact makes has its text set as a whole. */
export function setTextsWhole(): void {
  const before = options.vnode;
  options.vnode = (vnode) => {
    rewrite(vnode);
    before?.(vnode);
  };
}

function rewrite(vnode: VNode): void {
  const { type } = vnode;
  if (type === Fragment) vnode.props = { ...vnode.props, children: wrapped(vnode.props.children) };
  if (typeof type !== "string" || PLAIN.has(type)) return;
  const { children, ...rest } = vnode.props;
  if (children === undefined) return;
  const list = Array.isArray(children) ? children : [children];
  const texts = list.filter(isText);
  if (texts.length > 0 && list.every((child) => isText(child) || isNothing(child))) {
    vnode.props = Object.assign(rest, { children: undefined, textContent: texts.join("") });
  } else vnode.props = { ...rest, children: wrapped(children) };
}

/** The same children in the same places, each text in an element of its own. */
function wrapped(children: ComponentChildren): ComponentChildren {
  if (Array.isArray(children)) return children.map((child: ComponentChildren) => wrapped(child));
  if (!isText(children) || isBlank(children)) return children;
  return createElement(TEXT, null, String(children));
}
