// Before a walk: how each thing that a keyboard can reach looks at rest.
(() => {
  const look = (e) => {
    const one = (el, pseudo) => {
      const s = getComputedStyle(el, pseudo);
      const outline = s.outlineStyle === "none" || parseFloat(s.outlineWidth) === 0 ? "" : [s.outlineStyle, s.outlineWidth, s.outlineColor, s.outlineOffset].join(" ");
      return [outline, s.boxShadow, s.backgroundColor, s.backgroundImage, s.color, s.textDecoration, s.borderTop, s.borderRight, s.borderBottom, s.borderLeft, s.fontWeight, s.transform, s.opacity, s.position, s.left, s.top].join("|");
    };
    for (const a of document.getAnimations()) { try { a.finish(); } catch { /* endless */ } }
    const parts = [one(e), one(e, "::before"), one(e, "::after")];
    if (e.parentElement) parts.push(one(e.parentElement));
    return parts.join("\n");
  };
  const name = (e) => (e.localName + (e.id ? "#" + e.id : "") + (e.getAttribute("name") ? "[name=" + e.getAttribute("name") + "]" : "") + " « " + (e.innerText || e.value || e.getAttribute("aria-label") || "").trim().slice(0, 60) + " »").slice(0, 160);
  const reach = [...document.querySelectorAll("a[href], area[href], button, input, select, textarea, summary, iframe, audio[controls], video[controls], [tabindex], [contenteditable]")]
    .filter((e) => e.tabIndex >= 0 && !e.disabled && e.type !== "hidden" && e.checkVisibility({ visibilityProperty: true }));
  if (document.activeElement && document.activeElement !== document.body) document.activeElement.blur();
  const rest = new Map(reach.map((e) => [e, look(e)]));
  const walk = { rest, look, name, seen: new Set() };
  Object.defineProperty(globalThis, "__etalonWalk", { value: walk, configurable: true });
  return reach.length;
})()
