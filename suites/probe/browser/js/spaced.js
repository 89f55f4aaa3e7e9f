// Spaces the text out as WCAG 2.2, 1.4.12 has it, or takes that back.
(on) => {
  const before = globalThis.__etalonSpaced;
  if (!on) {
    if (before) document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== before);
    return true;
  }
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } p { margin-block-end: 2em !important; }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  Object.defineProperty(globalThis, "__etalonSpaced", { value: sheet, configurable: true });
  return true;
}
