// Draws a line around an element, in a layer of its own, and says where it is. "" is
// the one that has the focus, "cut" the one whose text was found cut off.
(selector) => {
  const none = { x: 0, y: 0, width: 0, height: 0 };
  let e = null;
  try { e = selector === "" ? document.activeElement : selector === "cut" ? globalThis.__etalonCut : document.querySelector(selector); } catch { /* a selector of a frame or a shadow tree */ }
  if (!e || e === document.documentElement || e === document.body || e === document.head || document.head.contains(e)) return none;
  e.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
  const r = e.getBoundingClientRect();
  if (r.width < 1 && r.height < 1) return none;
  const at = { x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height };
  document.getElementById("etalon-outline")?.remove();
  const line = document.createElement("div");
  line.id = "etalon-outline";
  line.setAttribute("aria-hidden", "true");
  for (const [name, value] of Object.entries({
    all: "initial", position: "absolute", left: at.x - 5 + "px", top: at.y - 5 + "px", width: at.width + 10 + "px", height: at.height + 10 + "px",
    "box-sizing": "border-box", border: "3px solid #c2185b", outline: "2px solid #ffffff", "z-index": "2147483647", "pointer-events": "none", margin: "0",
  })) line.style.setProperty(name, value, "important");
  document.documentElement.append(line);
  return at;
}
