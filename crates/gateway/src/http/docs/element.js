// Making elements. Nothing is ever put into the page as markup, so that no text can become any.

/** An element with attributes (functions are listeners) and children (texts, elements, nothing). */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}

/** A text with paragraphs, and `code` in it. */
export function prose(text) {
  const paragraphs = (text ?? "").split(/\n\n+/).filter(Boolean);
  return paragraphs.map((paragraph) => element("p", {}, ...inline(paragraph)));
}

export function inline(text) {
  return text.split("`").map((part, at) => (at % 2 ? element("code", {}, part) : part));
}

/** JSON to read. */
export function json(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return element("pre", { tabindex: "0" }, element("code", {}, text));
}

/** What is made only once it is looked at. */
export function folded(attributes, summary, fill) {
  const details = element("details", attributes, element("summary", {}, ...[summary].flat()));
  const once = () => {
    if (!details.open || details.dataset.filled) return;
    details.dataset.filled = "yes";
    details.append(...[fill()].flat().filter(Boolean));
  };
  details.addEventListener("toggle", once);
  details.fill = once;
  return details;
}
