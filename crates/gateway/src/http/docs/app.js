// Reads the OpenAPI document and shows it: APIs, their operations, and of each what it is told and
// what it answers.

import { element, folded, json, prose } from "./element.js";
import { resolve, shown, summary } from "./schema.js";
import { form, keepCredential } from "./try.js";

const METHODS = ["get", "post", "put", "delete"];

start();

async function start() {
  keepCredential({
    kind: byId("kind"),
    secret: byId("secret"),
    forget: byId("forget"),
    kept: byId("kept"),
  });
  byId("credential").addEventListener("submit", (event) => event.preventDefault());
  try {
    const answer = await fetch("/openapi.json");
    if (!answer.ok) throw new Error(`${answer.status}`);
    show(await answer.json());
  } catch (error) {
    byId("loading").textContent = `/openapi.json cannot be read: ${error.message}`;
  }
}

function byId(id) {
  return document.getElementById(id);
}

function show(api) {
  byId("version").textContent = api.info.version;
  const operations = all(api);
  const groups = api.tags.map((tag) => ({
    tag,
    operations: operations.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  byId("content").replaceChildren(
    element("section", { class: "about" }, prose(api.info.description)),
    ...groups.map((group) => section(api, group)),
  );
  byId("index").replaceChildren(...groups.map(entry));
  byId("search").addEventListener("input", (event) => find(event.target.value));
  addEventListener("hashchange", open);
  open();
}

function all(api) {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({
      path,
      method,
      operation: item[method],
    })));
}

function section(api, { tag, operations }) {
  const name = `api-${tag.name}`;
  return element(
    "section",
    { id: name, "aria-labelledby": `${name}-title` },
    element("h2", { id: `${name}-title` }, tag.name),
    prose(tag.description),
    element("p", {}, element("a", { href: `/openapi/${tag.name}.json` }, `/openapi/${tag.name}.json`)),
    operations.map((one) => operationOf(api, one)),
  );
}

function method(name) {
  return element("span", { class: `method ${name}` }, name.toUpperCase());
}

function operationOf(api, one) {
  const { path, operation } = one;
  const head = [
    method(one.method),
    element("code", { class: "path" }, path),
    element("span", { class: "summary" }, operation.summary),
  ];
  const fill = () => [
    ...prose(operation.description),
    who(operation),
    parameters(api, operation),
    body(api, operation),
    responses(api, operation),
    events(api, operation),
    element("h3", {}, "Try it"),
    form(api, one),
  ];
  return folded({ id: operation.operationId, class: "operation" }, head, fill);
}

function who(operation) {
  if (!operation.security?.length) return element("p", { class: "note" }, "No key is needed.");
  const scopes = operation.security.flatMap((one) => one.oauth2 ?? []);
  if (!scopes.length) return element("p", { class: "note" }, "With an application key, or a token.");
  return element(
    "p",
    { class: "note" },
    "With an application key, or a token with the scope ",
    scopes.map((scope) => element("code", {}, scope)),
    ".",
  );
}

function parameters(api, operation) {
  if (!operation.parameters?.length) return null;
  const rows = operation.parameters.map((parameter) => {
    const { name, in: where, required, schema, description } = resolve(api, parameter);
    return element(
      "li",
      {},
      element("code", { class: "member" }, name),
      " ",
      element("span", { class: required ? "required" : "optional" }, required ? "required" : "optional"),
      " ",
      element("span", { class: "type" }, `${where}, ${summary(api, schema)}`),
      description && element("span", { class: "says" }, description),
    );
  });
  return element("div", {}, element("h3", {}, "Parameters"), element("ul", { class: "members" }, rows));
}

function body(api, operation) {
  const content = resolve(api, operation.requestBody)?.content;
  if (!content) return null;
  const [mediaType, { schema, examples }] = Object.entries(content)[0];
  return element(
    "div",
    {},
    element("h3", {}, "Body ", element("small", {}, mediaType)),
    shown(api, schema),
    Object.values(examples ?? {}).map((example) =>
      folded({ class: "example" }, `Example: ${example.summary}`, () => json(example.value))),
  );
}

function responses(api, operation) {
  const each = Object.entries(operation.responses).map(([status, response]) =>
    answer(api, status, resolve(api, response)));
  return element("div", {}, element("h3", {}, "Answers"), each);
}

function answer(api, status, response) {
  const [mediaType, content] = Object.entries(response.content ?? {})[0] ?? [];
  const codes = resolve(api, content?.schema)?.properties?.code?.enum ?? [];
  const head = [
    element("span", { class: status < 400 ? "code good" : "code bad" }, status),
    element("span", { class: "summary" }, response.description),
    codes.map((code) => element("code", { class: "error-code" }, code)),
  ];
  const headers = Object.entries(response.headers ?? {}).map(([name, header]) =>
    element(
      "li",
      {},
      element("code", { class: "member" }, name),
      element("span", { class: "says" }, resolve(api, header).description),
    ));
  return folded({ class: "answer" }, head, () => [
    content && status < 400 && element("p", { class: "note" }, mediaType),
    content && status < 400 && shown(api, content.schema),
    ...Object.values(content?.examples ?? {}).map((example) => json(example.value)),
    headers.length && element("ul", { class: "members" }, headers),
  ]);
}

function events(api, operation) {
  const callback = operation.callbacks?.events;
  if (!callback) return null;
  return Object.entries(callback).map(([url, item]) => {
    const [mediaType, { schema }] = Object.entries(item.post.requestBody.content)[0];
    return element(
      "div",
      {},
      element("h3", {}, "Events"),
      element("p", {}, "To ", element("code", {}, url), `, as ${mediaType}. ${item.post.description}`),
      folded({ class: "example" }, "CloudEvent", () => shown(api, schema)),
    );
  })[0];
}

function entry({ tag, operations }) {
  const items = operations.map((one) =>
    element(
      "li",
      {},
      element(
        "a",
        { href: `#${one.operation.operationId}`, title: `${one.method.toUpperCase()} ${one.path}` },
        method(one.method),
        " ",
        one.operation.summary,
      ),
    ));
  return element(
    "section",
    {},
    element("h2", {}, element("a", { href: `#api-${tag.name}` }, tag.name)),
    element("ul", {}, items),
  );
}

function find(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  for (const group of byId("index").children) {
    const title = group.querySelector("h2").textContent;
    let any = false;
    for (const item of group.querySelectorAll("li")) {
      const text = `${title} ${item.textContent} ${item.firstChild.title}`.toLowerCase();
      item.hidden = !wanted.every((word) => text.includes(word));
      any ||= !item.hidden;
    }
    group.hidden = !any;
  }
}

/** Opens what the address names. */
function open() {
  const wanted = byId(decodeURIComponent(location.hash.slice(1)));
  if (!wanted) return;
  if (wanted.tagName === "DETAILS") {
    wanted.open = true;
    wanted.fill();
    wanted.querySelector("summary").focus({ preventScroll: true });
  }
  wanted.scrollIntoView();
}
