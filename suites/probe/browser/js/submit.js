// Fills the first form of the page that has these fields, and sends it.
({ fields, tick, press }) => {
  fields = fields || {};
  tick = tick || {};
  const has = (form, name) => [...form.elements].some((e) => e.name === name);
  const names = [...Object.keys(fields), ...(press[0] ? [press[0]] : [])];
  const form = [...document.forms].find((form) => names.every((n) => has(form, n)));
  if (!form) return false;
  for (const e of form.elements) {
    if (e.name in fields) e.value = fields[e.name];
    const ticked = tick[e.name];
    if (ticked && (e.type === "checkbox" || e.type === "radio")) e.checked = ticked.includes(e.value);
  }
  const button = press[0] ? [...form.elements].find((e) => e.name === press[0] && e.value === press[1]) : undefined;
  if (press[0] && !button) return false;
  form.requestSubmit(button);
  return true;
}
