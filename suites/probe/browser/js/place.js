// Brings this into view and says where it is, in the window, and what it is.
function place() {
  if (!this.isConnected) return { gone: true };
  this.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  const r = this.getBoundingClientRect();
  let x = r.left, y = r.top;
  for (let w = this.ownerDocument.defaultView; w && w.frameElement; w = w.parent) {
    const f = w.frameElement.getBoundingClientRect();
    x += f.left + w.frameElement.clientLeft;
    y += f.top + w.frameElement.clientTop;
  }
  return {
    gone: false, x, y, width: r.width, height: r.height,
    seen: r.width > 0 && r.height > 0 && getComputedStyle(this).visibility !== "hidden",
    disabled: this.matches(":disabled"), type: String(this.type || "").slice(0, 30),
  };
}
