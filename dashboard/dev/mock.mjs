// The page's development server: the committed bundle, and two made-up models behind the real endpoints.
//   node dev/mock.mjs [PORT]
// TOKEN=secret: changes ask for it. PAST=900: seconds of history to begin with. API=http://127.0.0.1:8501: no made-up
// models, but those of a perennial that runs there.

import { createServer, request as ask } from "node:http";
import { readFile } from "node:fs/promises";
import { World } from "./world.mjs";

const PORT = Number(process.argv[2] ?? 8600);
const TOKEN = process.env.TOKEN ?? "secret";
const PAST_S = Number(process.env.PAST ?? 900);
const API = process.env.API;
const DIST = new URL("../dist/", import.meta.url);
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const FILES = {
  "/": ["index.html", "text/html"],
  "/assets/app.js": ["assets/app.js", "text/javascript"],
  "/assets/app.css": ["assets/app.css", "text/css"],
};

const worlds = new Map([
  ["demo", new World("demo", "classification", PAST_S)],
  ["air", new World("air", "regression", PAST_S)],
]);
const streams = new Set();
let id = 0;

function send(events, model) {
  for (const { type, data } of events) {
    id += 1;
    for (const stream of streams) {
      if (stream.model === null || stream.model === model)
        stream.response.write(`id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ model, ...data })}\n\n`);
    }
  }
}
setInterval(() => {
  for (const [name, world] of worlds) send(world.step(Date.now()), name);
}, 250);
setInterval(() => streams.forEach(({ response }) => response.write(": alive\n\n")), 15_000);

class Problem extends Error {
  constructor(status, title, detail) {
    super(detail);
    Object.assign(this, { status, title });
  }
}

function find(name) {
  const world = worlds.get(name);
  if (world === undefined)
    throw new Problem(404, "Not Found", `no model ${name}; there are: ${[...worlds.keys()].join(", ")}`);
  return world;
}

async function act(world, verb, request) {
  if (TOKEN !== "" && request.headers.authorization !== `Bearer ${TOKEN}`)
    throw new Problem(
      401,
      "Unauthorized",
      "this changes the model and needs the server's token: Authorization: Bearer …",
    );
  let text = "";
  for await (const piece of request) text += piece;
  const body = JSON.parse(text || "{}");
  world.fresh = [];
  const at = Date.now();
  if (verb === "rollback") {
    if (!world.versions.some((v) => v.version === body.version))
      throw new Problem(404, "Not Found", `version ${body.version} is not kept`);
    if (world.pinned === body.version) throw new Problem(409, "Conflict", `version ${body.version} is served already`);
    world.pinned = body.version;
    world.note(at, { pinned: { version: body.version } });
  } else if (verb === "promote") {
    const learner = world.learners.find((l) => l.learner === body.learner);
    if (learner === undefined) throw new Problem(404, "Not Found", `no learner ${body.learner}`);
    if (learner.role === "champion") throw new Problem(409, "Conflict", `${body.learner} is the champion already`);
    world.promote(at, body.learner, null);
  } else {
    if (world.pinned === null) throw new Problem(409, "Conflict", "the champion is followed already");
    world.pinned = null;
    world.note(at, "followed");
  }
  send(world.fresh, world.name);
  return { version: world.version, live: world.live() };
}

/** Hands the request on to the perennial at `API`, and its answer back. */
function pass(request, response) {
  const { method, headers } = request;
  const onward = ask(new URL(request.url, API), { method, headers }, (reply) => {
    response.writeHead(reply.statusCode, reply.headers);
    reply.pipe(response);
  });
  onward.on("error", () => response.destroy());
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}

async function answer(request, response) {
  const url = new URL(request.url, "http://localhost");
  const json = (body) =>
    response
      .writeHead(200, { "content-type": "application/json", "cache-control": "no-store" })
      .end(JSON.stringify(body));
  const file = FILES[url.pathname];
  if (file !== undefined) {
    const bytes = await readFile(new URL(file[0], DIST));
    return response
      .writeHead(200, {
        "content-type": `${file[1]}; charset=utf-8`,
        "content-security-policy": CSP,
        "cache-control": "no-cache",
      })
      .end(bytes);
  }
  if (API !== undefined) return pass(request, response);
  if (url.pathname === "/api/models") return json({ models: [...worlds.values()].map((w) => w.view()) });
  if (url.pathname === "/api/history") {
    const number = (name) => (url.searchParams.has(name) ? Number(url.searchParams.get(name)) : undefined);
    return json(find(url.searchParams.get("model")).history(number("from"), number("to"), number("step")));
  }
  if (url.pathname === "/api/stream") {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" }).write(": hello\n\n");
    const stream = { response, model: url.searchParams.get("model") };
    streams.add(stream);
    return request.on("close", () => streams.delete(stream));
  }
  const [, , , name, verb] = url.pathname.split("/").map(decodeURIComponent);
  const world = find(name);
  if (verb === undefined) return json(world.view());
  if (verb === "versions") return json({ versions: world.versions });
  return json(await act(world, verb, request));
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    const status = error instanceof Problem ? error.status : 500;
    response
      .writeHead(status, { "content-type": "application/problem+json" })
      .end(JSON.stringify({ type: "about:blank", title: error.title, status, detail: error.message }));
  });
});
server.listen(PORT, "127.0.0.1", () => console.error(`http://127.0.0.1:${PORT}/ (token: ${TOKEN || "none"})`));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
