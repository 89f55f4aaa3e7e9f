// Whether the page is wider than the window, and what sticks out.
(() => {
  const root = document.scrollingElement || document.documentElement;
  const wide = document.documentElement.clientWidth;
  const out = { window: wide, page: root.scrollWidth, out: [] };
  if (root.scrollWidth <= wide + 1) return out;
  for (const e of document.body ? document.body.querySelectorAll("*") : []) {
    const r = e.getBoundingClientRect();
    if (r.width > 0 && r.right > wide + 1 && out.out.length < 5) {
      out.out.push((e.localName + (e.id ? "#" + e.id : "") + (e.classList[0] ? "." + e.classList[0] : "")).slice(0, 120));
    }
  }
  return out;
})()
