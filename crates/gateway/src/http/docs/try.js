// The form that calls an operation of this gateway, and shows what it answers.

import { element, json } from "./element.js";
import { resolve } from "./schema.js";

const KIND = "greenwave.kind";
const SECRET = "greenwave.secret";

/** What the reader has typed in: kept in this tab, and forgotten with it. */
export function credential() {
  const kind = sessionStorage.getItem(KIND) ?? "x-rapidapi-key";
  return { kind, secret: sessionStorage.getItem(SECRET) ?? "" };
}

export function keepCredential(form) {
  const { kind, secret, forget, kept } = form;
  const was = credential();
  kind.value = was.kind;
  secret.value = was.secret;
  kind.addEventListener("change", () => sessionStorage.setItem(KIND, kind.value));
  secret.addEventListener("input", () => sessionStorage.setItem(SECRET, secret.value.trim()));
  forget.addEventListener("click", () => {
    sessionStorage.removeItem(SECRET);
    secret.value = "";
    kept.textContent = "forgotten";
    secret.focus();
  });
}

/** The form of an operation. */
export function form(document, { path, method, operation }) {
  const fields = (operation.parameters ?? []).map((parameter) => field(resolve(document, parameter)));
  const body = bodyField(document, operation);
  const result = element("div", { class: "result", "aria-live": "polite" });
  const send = element("button", { type: "submit" }, `Send ${method.toUpperCase()}`);
  const submit = async (event) => {
    event.preventDefault();
    send.disabled = true;
    result.replaceChildren(element("p", {}, "Waiting …"));
    const request = asRequest(path, method, fields, body, operation.security?.length > 0);
    result.replaceChildren(...(await call(request)));
    send.disabled = false;
  };
  return element(
    "form",
    { class: "try", submit, autocomplete: "off" },
    fields.map(({ row }) => row),
    body?.rows,
    element("p", {}, send),
    result,
  );
}

let count = 0;

function field(parameter) {
  const id = `field-${++count}`;
  const input = element("input", {
    id,
    value: parameter.in === "path" ? parameter.example ?? "" : "",
    required: parameter.in === "path",
    spellcheck: "false",
  });
  const label = element("label", { for: id }, element("code", {}, parameter.name), ` (${parameter.in})`);
  return { parameter, input, row: element("div", { class: "field" }, label, input) };
}

function bodyField(document, operation) {
  const content = resolve(document, operation.requestBody)?.content;
  if (!content) return null;
  const [mediaType, { examples = {} }] = Object.entries(content)[0];
  const id = `field-${++count}`;
  const written = (example) => {
    const value = resolve(document, example)?.value ?? {};
    const isForm = mediaType === "application/x-www-form-urlencoded";
    return isForm ? new URLSearchParams(value).toString() : JSON.stringify(value, null, 2);
  };
  const all = Object.entries(examples);
  const text = element("textarea", { id, rows: "14", spellcheck: "false" });
  text.value = all.length ? written(all[0][1]) : "{}";
  const fill = (event) => (text.value = written(examples[event.target.value]));
  const choose = all.length > 1 && element(
    "div",
    { class: "field" },
    element("label", { for: `${id}-example` }, "Example"),
    element(
      "select",
      { id: `${id}-example`, change: fill },
      all.map(([name, example]) => element("option", { value: name }, example.summary || name)),
    ),
  );
  const label = element("label", { for: id }, `Body (${mediaType})`);
  return { mediaType, text, rows: [choose, element("div", { class: "field" }, label, text)] };
}

function asRequest(path, method, fields, body, secured) {
  const headers = {};
  const query = new URLSearchParams();
  let url = path;
  for (const { parameter, input } of fields) {
    const value = input.value.trim();
    if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (!value) continue;
    else if (parameter.in === "query") query.set(parameter.name, value);
    else headers[parameter.name] = value;
  }
  if (query.size) url += `?${query}`;
  const { kind, secret } = credential();
  if (secured && secret) {
    if (kind === "bearer") headers.Authorization = `Bearer ${secret}`;
    else headers["X-RapidAPI-Key"] = secret;
  }
  if (body) headers["Content-Type"] = body.mediaType;
  return { url, method: method.toUpperCase(), headers, body: body?.text.value };
}

async function call({ url, ...request }) {
  try {
    const answer = await fetch(url, { ...request, cache: "no-store", credentials: "omit" });
    const text = await answer.text();
    const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    return [
      element(
        "p",
        { class: answer.ok ? "status good" : "status bad" },
        `${answer.status} ${answer.statusText}`.trim(),
      ),
      text && json(pretty(text)),
      element("details", {}, element("summary", {}, "Headers"), json(headers)),
      element("details", {}, element("summary", {}, "As curl"), json(curl(url, request))),
    ].filter(Boolean);
  } catch (error) {
    return [element("p", { class: "status bad" }, `No answer: ${error.message}`)];
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The same in a shell, without the secret. */
function curl(url, { method, headers, body }) {
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = [`curl -X ${method} ${quoted(location.origin + url)}`];
  for (const [name, value] of Object.entries(headers)) {
    if (name === "Authorization") lines.push(`-H "Authorization: Bearer $GREENWAVE_KEY"`);
    else if (name === "X-RapidAPI-Key") lines.push(`-H "X-RapidAPI-Key: $GREENWAVE_KEY"`);
    else lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  }
  if (body) lines.push(`-d ${quoted(body)}`);
  return lines.join(" \\\n  ");
}
