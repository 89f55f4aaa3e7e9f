// Whether something asks for a choice about trackers, and what it offers on its
// first level. Words are read in French and in English; what stands in a frame of
// another site is not seen.
(() => {
  const plain = (s) => (s || "").normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[’`]/g, "'").replace(/\s+/g, " ").trim().toLowerCase();
  const accepts = /^(ok|tout accepter|accepter|j'accepte|accepte|d'accord|autoriser|tout autoriser|oui|j'ai compris|accept|agree|i agree|i accept|allow|got it|yes)\b/;
  const refuses = /\b(refuser|refuse|refus|continuer sans accepter|sans accepter|non merci|rejeter|necessaires (uniquement|seulement)|uniquement les (cookies )?(strictement )?necessaires|reject|decline|deny|without accepting|no thanks|(only|strictly) necessary|necessary only)\b/;
  const settles = /\b(parametr|personnalis|configurer|gerer|preferences|options|choisir|mes choix|plus de choix|voir les finalites|detail|settings|manage|customi[sz]e|choose|more choices|let me choose)/;
  const about = /\b(cookies?|traceurs?|trackers?|consent|consentement|mesure d'audience|vie privee|privacy|partenaires|partners)\b/;
  const named = /cookie|consent|gdpr|rgpd|cmp|tarteaucitron|didomi|onetrust|axeptio|cookiebot|klaro|orejime/i;
  const all = (root, out = []) => {
    for (const e of root.querySelectorAll("*")) {
      out.push(e);
      if (e.shadowRoot && out.length < 20000) all(e.shadowRoot, out);
      if (out.length >= 20000) break;
    }
    return out;
  };
  const up = (e) => e.parentElement || (e.getRootNode() instanceof ShadowRoot ? e.getRootNode().host : null);
  const visible = (e) => { const r = e.getBoundingClientRect(); return r.width > 1 && r.height > 1 && e.checkVisibility({ opacityProperty: true, visibilityProperty: true }); };
  const elements = all(document);
  const controls = elements.filter((e) => e.matches("button, a, input[type=button], input[type=submit], [role=button], [onclick]") && visible(e));
  const word = (e) => plain(e.innerText || e.value || e.getAttribute("aria-label"));
  const frame = (e) => {
    for (let at = up(e), n = 0; at && at !== document.body && at !== document.documentElement && n < 12; at = up(at), n++) {
      const place = getComputedStyle(at).position;
      const told = about.test(plain(at.innerText).slice(0, 4000));
      if (told && (place === "fixed" || place === "sticky" || at.matches("dialog, [role=dialog], [role=alertdialog]") || named.test(at.id + " " + at.getAttribute("class")))) return at;
    }
    return null;
  };
  let box = null;
  for (const c of controls) {
    if (accepts.test(word(c)) || refuses.test(word(c))) { box = frame(c); if (box) break; }
  }
  const none = { found: false, text: "", accept: [], refuse: [], settings: [], boxes: [], ticked: [], box: { x: 0, y: 0, width: 0, height: 0 } };
  if (!box) return none;
  const inside = (e) => { for (let at = e; at; at = up(at)) if (at === box) return true; return false; };
  const control = (e) => { const r = e.getBoundingClientRect(); return { text: word(e).slice(0, 100), x: r.x + r.width / 2, y: r.y + r.height / 2, width: r.width, height: r.height }; };
  const place = box.getBoundingClientRect();
  const mine = controls.filter(inside);
  return {
    found: true,
    box: { x: place.x + scrollX, y: place.y + scrollY, width: place.width, height: place.height },
    text: (box.innerText || "").replace(/\s+/g, " ").trim().slice(0, 300),
    refuse: mine.filter((e) => refuses.test(word(e))).slice(0, 5).map(control),
    accept: mine.filter((e) => accepts.test(word(e)) && !refuses.test(word(e))).slice(0, 5).map(control),
    settings: mine.filter((e) => settles.test(word(e)) && !refuses.test(word(e)) && !(accepts.test(word(e)) && /accept/.test(word(e)))).slice(0, 5).map(control),
    boxes: elements.filter((e) => inside(e) && e.matches("input[type=checkbox], input[type=radio], [role=switch], [role=checkbox], [role=radio]"))
      .slice(0, 20).map((e) => ({ label: String((e.labels && e.labels[0] && e.labels[0].innerText) || e.getAttribute("aria-label") || e.name || e.id).trim().slice(0, 100), on: !!e.checked || e.getAttribute("aria-checked") === "true", fixed: !!e.disabled })),
    ticked: elements.filter((e) => inside(e) && e.matches("input[type=checkbox], [role=switch], [role=checkbox]") && (e.checked || e.getAttribute("aria-checked") === "true") && !e.disabled && e.getAttribute("aria-disabled") !== "true")
      .slice(0, 10).map((e) => (e.labels && e.labels[0] ? e.labels[0].innerText : e.getAttribute("aria-label") || e.name || e.id || e.localName).trim().slice(0, 100)),
  };
})()
