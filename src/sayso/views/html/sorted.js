// Cards in the order and of the kind that a form asks for: `order` names what a card says of itself, downwards with a
// minus before it; every other field is what cards must say.
(() => {
  const form = document.getElementById("sorted");
  if (!form) return;
  const list = document.querySelector(".sorted"), items = [...list.children], count = form.querySelector("output");
  const show = () => {
    const { order, ...wanted } = Object.fromEntries(new FormData(form));
    let shown = 0;
    for (const item of items) {
      item.hidden = Object.entries(wanted).some(([key, value]) => value && item.dataset[key] !== value);
      shown += !item.hidden;
    }
    const key = order.replace("-", "");
    const isNumber = items.every((item) => item.dataset[key].trim() !== "" && Number.isFinite(Number(item.dataset[key])));
    const upwards = isNumber
      ? (a, b) => a.dataset[key] - b.dataset[key]
      : (a, b) => a.dataset[key].localeCompare(b.dataset[key], undefined, { numeric: true });
    const compare = order.startsWith("-") ? (a, b) => upwards(b, a) : upwards;
    list.append(...items.sort(compare));
    count.textContent = `${shown} of ${items.length} clips`;
  };
  form.hidden = false;
  form.addEventListener("change", show);
  show();
})();
