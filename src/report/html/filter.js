"use strict";
(() => {
  const form = document.getElementById("filter");
  const said = document.getElementById("said");
  if (!form) return;
  const cards = [...document.querySelectorAll("article")];
  const texts = cards.map((card) => card.textContent.toLowerCase());
  const show = () => {
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = ["severity", "reach", "provider"].map((name) => [name, form.elements[name].value]);
    let shown = 0;
    cards.forEach((card, index) => {
      const fits = chosen.every(([name, value]) => !value || card.dataset[name] === value)
        && words.every((word) => texts[index].includes(word));
      card.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    said.textContent = `${shown} of ${cards.length} shown`;
  };
  form.addEventListener("input", show);
  form.addEventListener("reset", () => setTimeout(show));
  form.addEventListener("submit", (event) => event.preventDefault());
  // A link to a card leads there, also while the filter hides it.
  window.addEventListener("hashchange", () => {
    const card = document.getElementById(location.hash.slice(1));
    if (!card?.hidden) return;
    form.reset();
    show();
    card.scrollIntoView();
    card.focus();
  });
  // A link can carry the filter: report.html#severity=critical&words=binance
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (form.elements[name]) form.elements[name].value = value;
  }
  form.hidden = false;
  show();
})();
