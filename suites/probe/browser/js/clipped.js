// Texts that their box cuts off: elements that hold words of their own, hide what
// sticks out, and are smaller than those words. The first call notes what is cut
// off at rest; a later one names what is cut off since, the first ones.
(() => {
  const rest = globalThis.__etalonClipped;
  const found = new Set(), names = [];
  const hides = (v) => v === "hidden" || v === "clip";
  let n = 0;
  for (const e of document.body ? document.body.querySelectorAll("*") : []) {
    if (++n > 8000) break;
    if (e.matches("script, style, noscript, option, input, textarea, select, svg *, [aria-hidden=true], [aria-hidden=true] *")) continue;
    let words = "";
    for (const c of e.childNodes) if (c.nodeType === 3) words += c.data;
    if (words.trim().length < 2) continue;
    const s = getComputedStyle(e);
    const range = document.createRange();
    range.selectNodeContents(e);
    const text = range.getBoundingClientRect();
    // The box that cuts may be that of the element, or of one around it.
    for (let at = e, up = 0; at && at !== document.body && up < 4; at = at.parentElement, up++) {
      const c = getComputedStyle(at), r = at.getBoundingClientRect();
      if (c.clipPath !== "none" && r.width <= 4 || r.width < 8 || r.height < 8) break; // for screen readers alone
      const over = parseFloat(s.fontSize) * 0.35 + 1;
      const x = hides(c.overflowX) && (text.right > r.right + over || text.left < r.left - over);
      const y = hides(c.overflowY) && (text.bottom > r.bottom + over || text.top < r.top - over);
      if (c.position === "fixed" || c.position === "absolute" && r.right < 0) break;
      if (x || y) {
        found.add(e);
        if (rest && !rest.has(e) && names.length < 5 && e.checkVisibility({ opacityProperty: true, visibilityProperty: true })) {
          if (!names.length) Object.defineProperty(globalThis, "__etalonCut", { value: e, configurable: true });
          names.push((e.localName + (e.id ? "#" + e.id : "") + (e.classList[0] ? "." + e.classList[0] : "") + " « " + words.replace(/\s+/g, " ").trim().slice(0, 60) + " »").slice(0, 160));
        }
        break;
      }
    }
  }
  if (!rest) Object.defineProperty(globalThis, "__etalonClipped", { value: found, configurable: true });
  return names;
})()
