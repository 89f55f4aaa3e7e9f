// After a step of the walk: where the keyboard is, and whether it can be seen.
(() => {
  const w = globalThis.__etalonWalk, e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return { at: "", again: false, seen: true, known: false, x: 0, y: 0, width: 0, height: 0 };
  const again = w.seen.has(e);
  w.seen.add(e);
  const rest = w.rest.get(e);
  const r = e.getBoundingClientRect();
  return {
    at: w.name(e), again, known: rest !== undefined, seen: rest === undefined || rest !== w.look(e),
    x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height,
  };
})()
