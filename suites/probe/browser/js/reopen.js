// A control by which a choice about trackers can be changed: read by its words, in
// French and in English, or by its name for assistive technology.
(() => {
  const none = { text: "", x: 0, y: 0, width: 0, height: 0 };
  const plain = (s) => (s || "").normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[’`]/g, "'").replace(/\s+/g, " ").trim().toLowerCase();
  const all = (root, out = []) => {
    for (const e of root.querySelectorAll("*")) {
      out.push(e);
      if (e.shadowRoot && out.length < 20000) all(e.shadowRoot, out);
      if (out.length >= 20000) break;
    }
    return out;
  };
  const changes = /\b(cookies?|traceurs?|trackers?|consentement|consent|parametres? (de )?confidentialite|confidentialite et cookies|mes choix|privacy (settings|choices|preferences))\b/;
  const policy = /\b(politique|charte|policy|notice|en savoir plus|learn more)\b/;
  const name = (e) => plain([e.innerText || e.value, e.getAttribute("aria-label"), e.title, ...[...e.querySelectorAll("img[alt]")].map((i) => i.alt)].filter(Boolean).join(" "));
  const visible = (e) => { const r = e.getBoundingClientRect(); return r.width > 1 && r.height > 1 && e.checkVisibility({ opacityProperty: true, visibilityProperty: true }); };
  const found = all(document).filter((e) => e.matches("button, a, input[type=button], [role=button], summary") && visible(e) && changes.test(name(e)) && name(e).length < 80);
  const e = found.find((x) => !policy.test(name(x)) && /\b(gerer|gestion|modifier|changer|parametr|preferences|choix|manage|settings|change|preferences)/.test(name(x))) || found.find((x) => !policy.test(name(x)));
  if (!e) return none;
  e.scrollIntoView({ block: "center", behavior: "instant" });
  const r = e.getBoundingClientRect();
  return { text: name(e).slice(0, 100), x: r.x + r.width / 2, y: r.y + r.height / 2, width: r.width, height: r.height };
})()
