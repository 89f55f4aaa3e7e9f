// What can be ticked or switched, one purpose at a time, in what stands before the
// page; frames of other sites are counted, they cannot be read.
(() => {
  const all = (root, out = []) => {
    for (const e of root.querySelectorAll("*")) {
      out.push(e);
      if (e.shadowRoot && out.length < 20000) all(e.shadowRoot, out);
      if (out.length >= 20000) break;
    }
    return out;
  };
  const up = (e) => e.parentElement || (e.getRootNode() instanceof ShadowRoot ? e.getRootNode().host : null);
  const plain = (s) => (s || "").normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[’`]/g, "'").replace(/\s+/g, " ").trim().toLowerCase();
  const about = /\b(cookies?|traceurs?|trackers?|consent|consentement|mesure d'audience|statistiques?|publicite|personnalisation|analytics|advertising|vie privee|privacy)\b/;
  const shown = (e) => e.checkVisibility({ opacityProperty: false, visibilityProperty: true });
  // A switch is often drawn beside an input that itself is not seen.
  const seen = (e) => shown(e) || (e.labels && [...e.labels].some(shown)) || (up(e) && shown(up(e)) && up(e).getBoundingClientRect().height > 8);
  const near = (e) => { for (let at = up(e), n = 0; at && n < 10; at = up(at), n++) if (about.test(plain(at.innerText).slice(0, 6000))) return true; return false; };
  const elements = all(document);
  const label = (e) => (e.labels && e.labels[0] && e.labels[0].innerText) || e.getAttribute("aria-label") ||
    (e.getAttribute("aria-labelledby") && (document.getElementById(e.getAttribute("aria-labelledby").split(" ")[0]) || {}).innerText) || e.name || e.id || e.localName;
  const boxes = elements.filter((e) => e.matches("input[type=checkbox], input[type=radio], [role=switch], [role=checkbox], [role=radio]") && seen(e) && near(e));
  const frames = elements.filter((e) => {
    if (e.localName !== "iframe") return false;
    const r = e.getBoundingClientRect();
    if (r.width < 120 || r.height < 60 || !shown(e)) return false;
    try { return !e.contentDocument; } catch { return true; }
  });
  return {
    offered: "", frames: frames.length,
    boxes: boxes.slice(0, 30).map((e) => ({
      label: String(label(e)).replace(/\s+/g, " ").trim().slice(0, 100),
      on: !!e.checked || e.getAttribute("aria-checked") === "true",
      fixed: !!e.disabled || e.getAttribute("aria-disabled") === "true",
    })),
  };
})()
