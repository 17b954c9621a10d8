/** Putting HTML into the page with nothing in it but the few elements that Markdown needs. The last step, always. */

const ELEMENTS: Record<string, string[]> = {
  a: ["href", "title", "class"],
  b: [],
  blockquote: ["class"],
  br: [],
  code: ["class"],
  del: [],
  em: [],
  h1: [],
  h2: [],
  h3: [],
  h4: [],
  h5: [],
  h6: [],
  hr: [],
  i: [],
  img: ["src", "alt"],
  kbd: [],
  li: [],
  mark: [],
  ol: ["start"],
  p: [],
  pre: [],
  span: ["class"],
  strong: [],
  sub: [],
  sup: ["class"],
  table: [],
  tbody: [],
  td: ["align"],
  th: ["align"],
  thead: [],
  tr: [],
  u: [],
  ul: [],
};

/** What formulas are made of. None of these lead anywhere or hold anything but formulas. */
const MATH_ELEMENTS = [
  "math", "semantics", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle", "merror", "mpadded", "mphantom",
  "menclose", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "mtable", "mtr", "mlabeledtr", "mtd",
];
const MATH_ATTRIBUTES = [
  "accent", "accentunder", "columnalign", "columnlines", "columnspacing", "depth", "display", "displaystyle", "fence", "form", "height",
  "largeop", "linethickness", "lspace", "mathbackground", "mathcolor", "mathsize", "mathvariant", "maxsize", "minsize", "movablelimits",
  "notation", "rowlines", "rowspacing", "rspace", "scriptlevel", "separator", "side", "stretchy", "symmetric", "voffset", "width",
];
const MATH_NAMESPACE = "http://www.w3.org/1998/Math/MathML";

type SetHtml = (this: Element, html: string, options: { sanitizer: unknown }) => void;
type Put = (node: HTMLElement, html: string) => void;

interface Sanitiser {
  text: Put;
  math: Put;
}

let sanitiser: Sanitiser | null = native();

/** True once `putHtml` may be called; a browser that cannot sanitise by itself fetches what does it first. */
export function isReady(): boolean {
  return sanitiser !== null;
}

export async function whenReady(): Promise<void> {
  sanitiser ??= await purifier();
}

export function putHtml(node: HTMLElement, html: string): void {
  if (sanitiser) sanitiser.text(node, html);
  else node.textContent = html;
}

/** The same for a formula: nothing but MathML stays. */
export function putMath(node: HTMLElement, html: string): void {
  if (sanitiser) sanitiser.math(node, html);
  else node.textContent = html;
}

function native(): Sanitiser | null {
  const setHtml = (globalThis.Element?.prototype as { setHTML?: SetHtml } | undefined)?.setHTML;
  const Sanitizer = (globalThis as { Sanitizer?: new (config: object) => unknown }).Sanitizer;
  if (!setHtml || !Sanitizer) return null;
  const putting = (elements: object[]): Put => {
    const sanitizer = new Sanitizer({ elements, attributes: [], comments: false, dataAttributes: false });
    return (node, html) => setHtml.call(node, html, { sanitizer });
  };
  return {
    text: putting(Object.entries(ELEMENTS).map(([name, attributes]) => ({ name, attributes }))),
    math: putting([
      { name: "span", attributes: [] },
      ...MATH_ELEMENTS.map((name) => ({ name, namespace: MATH_NAMESPACE, attributes: MATH_ATTRIBUTES })),
    ]),
  };
}

async function purifier(): Promise<Sanitiser> {
  const { default: DOMPurify } = await import("dompurify");
  const putting = (tags: string[], attributes: string[]): Put => {
    const config = {
      ALLOWED_TAGS: tags,
      ALLOWED_ATTR: attributes,
      ALLOW_DATA_ATTR: false,
      ALLOW_ARIA_ATTR: false,
      RETURN_DOM_FRAGMENT: true as const,
    };
    return (node, html) => node.replaceChildren(DOMPurify.sanitize(html, config));
  };
  return {
    text: putting(Object.keys(ELEMENTS), [...new Set(Object.values(ELEMENTS).flat())]),
    math: putting(["span", ...MATH_ELEMENTS], MATH_ATTRIBUTES),
  };
}
