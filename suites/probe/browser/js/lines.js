// The lines of text that the page shows, the values of its fields among them.
(() => {
  const out = new Set();
  const add = (s) => { s = String(s || "").replace(/\s+/g, " ").trim().slice(0, 300); if (s.length >= 4 && out.size < 2000) out.add(s); };
  const read = (doc) => {
    for (const line of (doc.body ? doc.body.innerText : "").split("\n")) add(line);
    for (const e of doc.querySelectorAll("input, textarea")) if (!["hidden", "password", "submit", "button", "checkbox", "radio"].includes(e.type)) add(e.value);
    for (const f of doc.querySelectorAll("iframe")) { try { if (f.contentDocument) read(f.contentDocument); } catch { /* of another site */ } }
  };
  read(document);
  return [...out];
})()
