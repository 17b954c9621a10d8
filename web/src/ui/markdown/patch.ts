/** Turning what is drawn into what is to be drawn, touching only what differs: all else keeps its layout and its selection. */

/** Give `node` the children of `wanted`, whose own nodes may be taken over. */
export function patch(node: Element, wanted: Element): void {
  let old = node.firstChild;
  let fresh = wanted.firstChild;
  while (old && fresh) {
    const [nextOld, nextFresh]: [ChildNode | null, ChildNode | null] = [old.nextSibling, fresh.nextSibling];
    if (!old.isEqualNode(fresh) && !grow(old, fresh)) old.replaceWith(fresh);
    [old, fresh] = [nextOld, nextFresh];
  }
  while (old) {
    const next: ChildNode | null = old.nextSibling;
    old.remove();
    old = next;
  }
  if (fresh) node.append(...restFrom(fresh));
}

/** Make `old` equal to `fresh` without another node in its place; false when they are of two kinds. */
function grow(old: ChildNode, fresh: ChildNode): boolean {
  if (old instanceof Text && fresh instanceof Text) {
    if (fresh.data.startsWith(old.data)) old.appendData(fresh.data.slice(old.length));
    else old.data = fresh.data;
    return true;
  }
  if (!(old instanceof Element && fresh instanceof Element) || !old.cloneNode().isEqualNode(fresh.cloneNode())) return false;
  patch(old, fresh);
  return true;
}

function restFrom(first: ChildNode): ChildNode[] {
  const rest: ChildNode[] = [];
  for (let one: ChildNode | null = first; one; one = one.nextSibling) rest.push(one);
  return rest;
}
