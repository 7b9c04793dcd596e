// Shows the OpenAPI document without anything from elsewhere.

const about = document.getElementById("about");
const count = document.getElementById("count");
const filter = document.getElementById("filter");
const routes = document.getElementById("routes");

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function inline(schema, all) {
  const name = schema?.$ref?.split("/").pop();
  return name ? all[name] : schema;
}

function card(method, path, operation, all) {
  const details = element("details");
  const summary = element("summary");
  summary.append(element("span", method.toUpperCase(), "method"), element("code", path), ` ${operation.summary}`);
  const inside = element("div", undefined, "inside");
  const open = operation.security.length === 0;
  inside.append(element("p", open ? "Open to everybody." : `Needs: ${operation["x-permission"]}.`));
  const names = operation.parameters.map((one) => `${one.name} (${one.in})`);
  if (names.length > 0) inside.append(element("p", `Parameters: ${names.join(", ")}`));
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  if (body) {
    inside.append(element("p", "Body:"), element("pre", JSON.stringify(inline(body, all), null, 2)));
  }
  details.append(summary, inside);
  details.dataset.text = `${method} ${path} ${operation.summary}`.toLowerCase();
  return details;
}

function show(openapi) {
  about.textContent = openapi.info.description;
  const byTag = new Map();
  for (const [path, methods] of Object.entries(openapi.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0];
      if (!byTag.has(tag)) byTag.set(tag, []);
      byTag.get(tag).push(card(method, path, operation, openapi.components.schemas));
    }
  }
  for (const [tag, cards] of byTag) {
    const section = element("section");
    section.append(element("h2", tag), ...cards);
    routes.append(section);
  }
  narrow();
}

function narrow() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const details of routes.querySelectorAll("details")) {
    const fits = words.every((word) => details.dataset.text.includes(word));
    details.hidden = !fits;
    if (fits) shown += 1;
  }
  for (const section of routes.children) {
    section.hidden = !section.querySelector("details:not([hidden])");
  }
  count.textContent = `${shown} routes`;
}

filter.addEventListener("input", narrow);
fetch("/api/openapi.json")
  .then((response) => response.json())
  .then(show)
  .catch(() => {
    about.textContent = "The document could not be read; reload the page to try again.";
  });
