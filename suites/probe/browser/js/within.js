// What the parts of a selector that follow are looked for in: the document of a
// child frame, or the shadow tree of an element where it has one.
function within(frames) {
  if (!frames) return this.shadowRoot || this;
  let win = window;
  for (const i of frames) win = win.frames[i];
  return win.document;
}
