// Parts of the readable view. Everything that comes from outside enters the page as text, never as markup.

const SHOWN_ROWS = 25;

export function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A card: whose it is, and what is known. */
export function card(title, subtitle, ...parts) {
  return element("article", {}, element("h3", {}, title), element("p", { class: "subtitle" }, subtitle), ...parts);
}

/** Names with their values; those without a value are left out. */
export function list(facts) {
  const rows = facts.filter(([, value]) => value);
  if (!rows.length) return "";
  return element("dl", {}, ...rows.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

/** A table that scrolls sideways; of a long one the first rows, and a button for the rest. */
export function table(caption, headings, items, cells) {
  if (!items.length) return "";
  const head = element("tr", {}, ...headings.map((heading) => element("th", { scope: "col" }, heading)));
  const rows = items.map((item) => element("tr", {}, ...cells(item).map((cell) => element("td", {}, cell || "–"))));
  const body = element("tbody", {}, ...rows.slice(0, SHOWN_ROWS));
  const whole = element("table", {}, element("caption", {}, caption), element("thead", {}, head), body);
  const region = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, whole);
  if (rows.length <= SHOWN_ROWS) return region;

  const more = element("button", { type: "button", class: "more" }, `Show all ${rows.length}`);
  more.addEventListener("click", () => {
    body.append(...rows.slice(SHOWN_ROWS));
    more.remove();
    region.focus();
  });
  return element("div", {}, region, more);
}

/** A link is followed by a click, so only addresses of documents may become one. */
export function link(url, label) {
  if (!/^https?:\/\//i.test(url ?? "")) return "";
  return element("a", { href: url, target: "_blank", rel: "noopener noreferrer", "aria-label": label }, "PDF");
}

export function note(sentence) {
  return element("p", { class: "empty" }, sentence);
}
