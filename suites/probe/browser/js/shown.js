// All that the page holds in words: its source as it stands, what was typed, and
// what stands in shadow trees and in frames of the same origin. A picture is kept
// only when no secret is among it.
(() => {
  const most = 262144, out = [];
  let left = most;
  const add = (s) => { if (s && left > 0) { const part = String(s).slice(0, left); out.push(part); left -= part.length; } };
  const read = (root) => {
    add(root.documentElement ? root.documentElement.innerText : "");
    add(root.documentElement ? root.documentElement.outerHTML : root.innerHTML);
    for (const e of root.querySelectorAll("*")) {
      if (left <= 0) break;
      if (e.shadowRoot) read(e.shadowRoot);
      if ("value" in e && typeof e.value === "string") add(e.value);
      if (e.localName === "iframe") { try { if (e.contentDocument) read(e.contentDocument); } catch { /* of another origin */ } }
    }
  };
  add(location.href);
  read(document);
  return out.join("\n");
})()
