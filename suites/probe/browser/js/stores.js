// What the stores of this page's origin hold, as text.
(async () => {
  const out = [];
  const add = (where, key, value) => { if (out.length < 200) out.push({ where, key: String(key).slice(0, 300), value: String(value == null ? "" : value).slice(0, 20000) }); };
  for (const [where, get] of [["local", () => localStorage], ["session", () => sessionStorage]]) {
    try { const s = get(); for (let i = 0; i < s.length; i++) add(where, s.key(i), s.getItem(s.key(i))); } catch { /* closed to this page */ }
  }
  try {
    for (const d of await indexedDB.databases()) {
      const db = await new Promise((ok, no) => { const r = indexedDB.open(d.name); r.onsuccess = () => ok(r.result); r.onerror = r.onblocked = () => no(r.error); });
      for (const name of db.objectStoreNames) {
        const rows = await new Promise((ok, no) => { const r = db.transaction(name).objectStore(name).getAll(null, 50); r.onsuccess = () => ok(r.result); r.onerror = () => no(r.error); });
        add("indexed", d.name + "/" + name, JSON.stringify(rows));
      }
      db.close();
    }
  } catch { /* not there */ }
  try {
    for (const k of await caches.keys()) for (const q of (await (await caches.open(k)).keys()).slice(0, 20)) {
      const r = await (await caches.open(k)).match(q);
      add("cache", k + " " + new URL(q.url).pathname, r ? (await r.clone().text()).slice(0, 20000) : "");
    }
  } catch { /* not there */ }
  return out;
})()
