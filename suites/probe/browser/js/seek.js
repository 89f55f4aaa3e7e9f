// Looks, below this, for what one part of a selector means: the first match that can
// be seen, else the first; or how many there are.
function seek(by, text, count) {
  const root = this;
  const doc = root.ownerDocument || root;
  const seen = (e) => {
    const r = e.getBoundingClientRect();
    return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== "hidden";
  };
  const deep = (from, visit) => {
    for (const e of from.querySelectorAll("*")) {
      visit(e);
      if (e.shadowRoot) deep(e.shadowRoot, visit);
    }
  };
  let found = [];
  if (by === "css") {
    found = [...root.querySelectorAll(text)];
  } else if (by === "pierce") {
    deep(root, (e) => { if (e.matches(text)) found.push(e); });
  } else if (by === "xpath") {
    const all = doc.evaluate(text, root, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
    for (let i = 0; i < all.snapshotLength; i++) if (all.snapshotItem(i).nodeType === 1) found.push(all.snapshotItem(i));
  } else {
    const says = (e) => {
      if (["SCRIPT", "STYLE", "NOSCRIPT", "HEAD", "TITLE"].includes(e.nodeName)) return false;
      if (e.nodeName === "INPUT" && ["submit", "button", "reset"].includes(e.type)) return e.value.includes(text);
      return (e.textContent || "").includes(text);
    };
    deep(root, (e) => { if (says(e) && ![...e.children].some(says)) found.push(e); });
  }
  if (count) return found.length;
  return found.find(seen) || found[0] || null;
}
