// Showing a schema: its members, each with its type and what limits it.

import { element, folded, inline } from "./element.js";

/** What a reference stands for. */
export function resolve(document, thing) {
  if (!thing?.$ref) return thing;
  const steps = thing.$ref.slice(2).split("/");
  return steps.reduce((at, step) => at?.[step.replaceAll("~1", "/").replaceAll("~0", "~")], document);
}

/** Its own name, without that of its API, which is known where it stands. */
function nameOf(schema) {
  const parts = schema?.$ref?.split("/").pop().split(".");
  return parts && parts.pop() + (parts.includes("nokia") ? " (Nokia)" : "");
}

/** One line: which type, and its limits. */
export function summary(document, schema) {
  const is = resolve(document, schema) ?? {};
  const choices = is.oneOf ?? (is.properties ? null : is.anyOf);
  if (choices) return choices.map((choice) => nameOf(choice) ?? summary(document, choice)).join(" or ");
  if (is.enum) return is.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (is.type === "array") {
    const count = [is.minItems != null && `from ${is.minItems}`, is.maxItems != null && `up to ${is.maxItems}`];
    const of = nameOf(is.items) ?? summary(document, is.items);
    return [`list of ${of}`, ...count, is.uniqueItems && "each once"].filter(Boolean).join(", ");
  }
  const limits = [
    is.format,
    is.minimum != null && `from ${is.minimum}`,
    is.maximum != null && `to ${is.maximum}`,
    is.minLength != null && `at least ${is.minLength} long`,
    is.maxLength != null && `at most ${is.maxLength} long`,
    is.default !== undefined && `if absent ${JSON.stringify(is.default)}`,
    is.additionalProperties === false && "nothing else in it",
  ];
  return [is.type ?? "anything", ...limits].filter(Boolean).join(", ");
}

/** All of a schema. */
export function shown(document, schema) {
  const is = resolve(document, schema) ?? {};
  const name = nameOf(schema);
  const head = element(
    "p",
    { class: "schema-head" },
    name && element("strong", {}, name),
    name && " ",
    element("span", { class: "type" }, summary(document, schema)),
  );
  return element("div", { class: "schema" }, head, about(is), ...[parts(document, is)].flat().filter(Boolean));
}

function about(is) {
  const said = is.description && element("p", {}, ...inline(is.description));
  const sets = is.properties && is.anyOf?.filter((set) => set.required);
  const needed = sets?.length && element(
    "p",
    { class: "note" },
    "At least: ",
    sets.map((set) => set.required.join(" and ")).join("; or "),
    ".",
  );
  const together = Object.entries(is.dependentRequired ?? {}).map(([member, needs]) =>
    element("p", { class: "note" }, `${member} only with ${needs.join(", ")}.`));
  return element("div", {}, said, needed || null, together);
}

function parts(document, is) {
  if (is.properties) return members(document, is);
  if (is.type === "array") return deeper(document, is.items);
  const choices = is.oneOf ?? is.anyOf;
  if (choices) return choices.map((choice, at) => chosen(document, choice, at === 0));
  return is.pattern ? element("p", { class: "pattern" }, element("code", {}, is.pattern)) : null;
}

/** The first is what most people want to see. */
function chosen(document, choice, first) {
  if (first || !resolve(document, choice)?.properties) return shown(document, choice);
  return folded({ class: "deeper" }, `or ${nameOf(choice) ?? "this"}`, () => shown(document, choice));
}

function members(document, is) {
  const rows = Object.entries(is.properties).map(([name, schema]) => {
    const of = resolve(document, schema) ?? {};
    const required = is.required?.includes(name);
    return element(
      "li",
      {},
      element("code", { class: "member" }, name),
      " ",
      element("span", { class: required ? "required" : "optional" }, required ? "required" : "optional"),
      " ",
      element("span", { class: "type" }, nameOf(schema) ?? summary(document, schema)),
      of.description && element("span", { class: "says" }, ...inline(of.description)),
      of.pattern && element("span", { class: "pattern" }, element("code", {}, of.pattern)),
      deeper(document, schema),
    );
  });
  return element("ul", { class: "members" }, rows);
}

/** What is inside, if there is something to see. */
function deeper(document, schema) {
  const is = resolve(document, schema) ?? {};
  const inner = is.type === "array" ? is.items : schema;
  const of = resolve(document, inner) ?? {};
  if (!of.properties && !of.oneOf && !of.anyOf) return null;
  return folded({ class: "deeper" }, nameOf(inner) ?? "members", () => shown(document, inner));
}
