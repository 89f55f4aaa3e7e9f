// What the page says of itself besides its structure: pictures, fonts, words,
// libraries of scripts, buttons of identity providers.
(() => {
  const text = (v) => String(v == null ? "" : v).slice(0, 200);
  const file = (u) => { try { return new URL(u, location.href).pathname.split("/").pop().slice(0, 100); } catch { return ""; } };
  const images = [...document.images].filter((i) => i.complete && i.naturalWidth > 0 && /^https?:/.test(i.currentSrc)).slice(0, 60).map((i) => {
    const r = i.getBoundingClientRect();
    return {
      name: file(i.currentSrc), width: Math.round(r.width), height: Math.round(r.height), naturalWidth: i.naturalWidth, naturalHeight: i.naturalHeight,
      lazy: i.loading === "lazy", below: r.top + scrollY > 2 * innerHeight, vector: /\.svg$/i.test(file(i.currentSrc)),
    };
  });
  const fonts = [...document.fonts].filter((f) => f.status === "loaded").slice(0, 60).map((f) => (f.family.replace(/["']/g, "") + " " + f.weight + " " + f.style).slice(0, 100));
  const words = ((document.body && document.body.innerText) || "").slice(0, 40000).toLowerCase().match(/[a-zà-ÿœ]+/g) || [];
  const count = (list) => { const s = new Set(list.split(" ")); return words.reduce((n, w) => n + (s.has(w) ? 1 : 0), 0); };
  const libraries = [];
  const lib = (name, read) => {
    try {
      const v = read();
      if (typeof v === "string" && /^v?\d+\.\d+/.test(v)) libraries.push({ name, version: v.replace(/^v/, "").slice(0, 40), from: "global" });
    } catch { /* not there */ }
  };
  const w = globalThis;
  lib("jquery", () => (w.jQuery || w.$).fn.jquery);
  lib("jquery-ui", () => w.jQuery.ui.version);
  lib("bootstrap", () => (w.bootstrap && w.bootstrap.Tooltip && w.bootstrap.Tooltip.VERSION) || (w.jQuery.fn.tooltip.Constructor || {}).VERSION);
  lib("angularjs", () => w.angular.version.full);
  lib("lodash", () => (w._ && w._.templateSettings && w._.forOwn && w._.VERSION));
  lib("underscore", () => (w._ && !w._.forOwn && w._.VERSION));
  lib("moment", () => w.moment.version);
  lib("handlebars", () => w.Handlebars.VERSION);
  lib("vue", () => w.Vue.version);
  lib("dompurify", () => w.DOMPurify.version);
  lib("axios", () => w.axios.VERSION);
  lib("knockout", () => w.ko.version);
  lib("select2", () => (w.jQuery.fn.select2.amd ? "" : ""));
  lib("ckeditor4", () => (/^4\./.test(w.CKEDITOR.version) ? w.CKEDITOR.version : ""));
  lib("chart.js", () => w.Chart.version);
  lib("highcharts", () => w.Highcharts.version);
  lib("mustache", () => w.Mustache.version);
  lib("video.js", () => w.videojs.VERSION);
  lib("pdf.js", () => w.pdfjsLib.version);
  const says = (e) => [e.innerText, e.value, e.getAttribute("aria-label"), e.title, ...[...e.querySelectorAll("img[alt]")].map((i) => i.alt)].filter(Boolean).join(" ").replace(/\s+/g, " ").trim();
  const providers = [];
  for (const e of document.querySelectorAll("a, button, input[type=submit], input[type=button], input[type=image], [role=button]")) {
    const s = says(e) || e.alt || "";
    const which = /france\s*connect/i.test(s) || /franceconnect/i.test(e.id + " " + (e.getAttribute("class") || "")) ? "franceconnect"
      : /pro\s*sant[eé]\s*connect/i.test(s) || /prosanteconnect/i.test(e.id + " " + (e.getAttribute("class") || "")) ? "prosanteconnect" : "";
    if (!which || !e.checkVisibility({ visibilityProperty: true }) || providers.length >= 6) continue;
    const to = e.href || e.formAction || (e.form && e.form.action) || "";
    let scheme = "", host = "";
    try { const u = new URL(to, location.href); scheme = u.protocol; host = u.host; } catch { /* a script answers */ }
    providers.push({ which, words: text(s), scheme: scheme.slice(0, 20), host: host.slice(0, 100), link: !!(e.href) });
  }
  return {
    images, fonts, libraries, providers,
    words: words.length,
    french: count("le la les des une est pour dans que qui vous votre vos avec sur ou pas nous notre et du au aux par ce cette sont"),
    english: count("the of and to is for with your you that this are on our from not be have can will by or an"),
  };
})()
