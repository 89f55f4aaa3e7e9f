// What the document holds, as it stands. Values of storages are measured, never
// taken.
(async () => {
  const most = 120;
  const text = (v) => String(v == null ? "" : v).slice(0, 400);
  const name = (e) => {
    let out = e.localName + (e.id ? "#" + e.id : "");
    if (e.currentSrc || e.src) out += " " + String(e.currentSrc || e.src).split(/[?#]/)[0];
    return out.slice(0, 200);
  };
  const stored = [];
  const keys = (where, read) => {
    try {
      const s = read();
      for (let i = 0; i < s.length && stored.length < most; i++) {
        const key = s.key(i);
        stored.push({ where, key: text(key), size: (s.getItem(key) || "").length });
      }
    } catch { /* closed to this page */ }
  };
  keys("local", () => localStorage);
  keys("session", () => sessionStorage);
  try {
    for (const d of await indexedDB.databases()) if (stored.length < most) stored.push({ where: "indexed", key: text(d.name), size: 0 });
  } catch { /* not there */ }
  try {
    for (const k of await caches.keys()) if (stored.length < most) stored.push({ where: "cache", key: text(k), size: 0 });
  } catch { /* not there */ }
  const media = [...document.querySelectorAll("audio, video")];
  const viewport = document.querySelector('meta[name="viewport" i]');
  return {
    lang: text(document.documentElement.getAttribute("lang")),
    title: text(document.title).trim(),
    dom: document.getElementsByTagName("*").length,
    viewport: text(viewport && viewport.content),
    media: media.length,
    playing: media.filter((m) => m.autoplay || !m.paused).slice(0, 20).map(name),
    fonts: 0,
    stored,
    frames: document.querySelectorAll("iframe, frame").length,
    headings: document.querySelectorAll("h1, h2, h3, h4, h5, h6, [role=heading]").length,
  };
})()
