// Gives this field a text: says "type" when it is now selected and is to be typed
// into, "done", or why it cannot be.
function fill(value) {
  const told = () => { for (const n of ["input", "change"]) this.dispatchEvent(new Event(n, { bubbles: true })); };
  if (this.nodeName === "SELECT") {
    const o = [...this.options].find((o) => o.value === value) || [...this.options].find((o) => o.text.trim() === value);
    if (!o) return "it has no such option";
    o.selected = true;
    told();
    return "done";
  }
  if (this.nodeName === "INPUT" && this.type === "file") return "a file is asked for, and none is given";
  this.focus();
  if (this.isContentEditable) {
    const range = this.ownerDocument.createRange();
    range.selectNodeContents(this);
    const now = this.ownerDocument.defaultView.getSelection();
    now.removeAllRanges();
    now.addRange(range);
    return "type";
  }
  if (this.nodeName !== "INPUT" && this.nodeName !== "TEXTAREA") return "it is no field";
  if (this.nodeName === "TEXTAREA" || ["text", "email", "password", "search", "tel", "url", "number", ""].includes(this.type)) {
    this.select();
    return "type";
  }
  const own = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(this), "value");
  own.set.call(this, value);
  told();
  return "done";
}
