/** Putting HTML into the page with nothing in it but the few elements that Markdown needs. The last step, always. */

const ELEMENTS: Record<string, string[]> = {
  a: ["href", "title", "class"],
  b: [],
  blockquote: [],
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
  sup: [],
  table: [],
  tbody: [],
  td: ["align"],
  th: ["align"],
  thead: [],
  tr: [],
  u: [],
  ul: [],
};

type SetHtml = (this: Element, html: string, options: { sanitizer: unknown }) => void;
type Put = (node: HTMLElement, html: string) => void;

let put: Put | null = native();

/** True once `putHtml` may be called; a browser that cannot sanitise by itself fetches what does it first. */
export function isReady(): boolean {
  return put !== null;
}

export async function whenReady(): Promise<void> {
  put ??= await purifier();
}

export function putHtml(node: HTMLElement, html: string): void {
  if (put) put(node, html);
  else node.textContent = html;
}

function native(): Put | null {
  const setHtml = (globalThis.Element?.prototype as { setHTML?: SetHtml } | undefined)?.setHTML;
  const Sanitizer = (globalThis as { Sanitizer?: new (config: object) => unknown }).Sanitizer;
  if (!setHtml || !Sanitizer) return null;
  const elements = Object.entries(ELEMENTS).map(([name, attributes]) => ({ name, attributes }));
  const sanitizer = new Sanitizer({ elements, attributes: [], comments: false, dataAttributes: false });
  return (node, html) => setHtml.call(node, html, { sanitizer });
}

async function purifier(): Promise<Put> {
  const { default: DOMPurify } = await import("dompurify");
  const config = {
    ALLOWED_TAGS: Object.keys(ELEMENTS),
    ALLOWED_ATTR: [...new Set(Object.values(ELEMENTS).flat())],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true as const,
  };
  return (node, html) => node.replaceChildren(DOMPurify.sanitize(html, config));
}
