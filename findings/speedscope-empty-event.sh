#!/usr/bin/env bash
# speedscope 1.25.0 (npm): a complete event (`X`) that takes no time and begins with another one of its thread spoils all
# that follows.
#
# At the same time, speedscope takes ends before begins. So it looks for the end of the empty event before it has begun
# it, drops that end with a warning on the console, and never closes the event: what follows lies in it, and their ends
# are dropped, too. Events that take the smallest part of a nanosecond are read as they should. So is an empty event with
# which none begins, although no call of it is shown.
#
# Meanwhile writes spans that take no time with a fraction of a nanosecond: src/trace/chrome/write.rs.
#
# Seen with Node.js 20 on x86_64 Linux 6.18:
#
#     speedscope 1.25.0
#     empty event of 0 µs: 4 warnings, a from 0.0 to 2.0
#     empty event of 0.0002 µs: 0 warnings, a from 0.0 to 2.0, b from 2.0 to 4.0, empty from 2.0 to 2.0
#
# Prints these lines, whose times speedscope counts from the first event, and exits with 0; exits with 1 when speedscope
# does something else. Needs a network, npm and node. The importer is a part of the page that the package has; it runs here
# without a window, under the name that it has in this version.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm pack --silent speedscope@1.25.0 >/dev/null
sha256sum --check --quiet <<<"2831f1e0d26df914b477e522d78b8485511495a6af81a0b88158f8b48f9e0d03  speedscope-1.25.0.tgz"
tar -xzf speedscope-1.25.0.tgz

cat >import.js <<'END'
const fs = require("fs");
const vm = require("vm");

const name = fs.readdirSync("package/dist/release").find((file) => /^speedscope-.*\.js$/.test(file));
const page = fs.readFileSync(`package/dist/release/${name}`, "utf8");
const opening = '"use strict";(()=>{';
const code = page.replace(opening, `${opening}globalThis.importProfiles=(...all)=>Xy(...all);`);

// Whatever the page asks the browser for.
const anything = () => new Proxy(function () {}, {
  get: (_, key) => (key === Symbol.toPrimitive ? () => "" : key === "length" ? 0 : anything()),
  apply: anything, construct: anything, has: () => true, set: () => true,
});
let warnings = 0;
const quiet = { log() {}, warn() { warnings += 1; }, error() {} };
const browser = {
  ArrayBuffer, Buffer, DataView, Float32Array, Promise, TextDecoder, TextEncoder, URL, Uint8Array, WebAssembly, atob,
  clearTimeout, performance, setTimeout, console: quiet, document: anything(), fetch: anything(),
  localStorage: anything(), addEventListener() {}, matchMedia: anything(), requestAnimationFrame: () => 0,
  location: { hash: "", href: "http://localhost/", protocol: "http:" }, navigator: { userAgent: "", platform: "" },
  FontFace: class { load() { return Promise.resolve(); } }, HTMLElement: class {}, Image: class {},
};
browser.window = browser.self = browser;
const context = vm.createContext(browser);
try { vm.runInContext(code, context); } catch { /* There is nothing to draw on. */ }

async function show(length) {
  const event = (name, ts, dur) => ({ ph: "X", pid: 1, tid: 1, name, ts, dur });
  const traceEvents = [event("a", 1, 2), event("empty", 3, length), event("b", 3, 2)];
  const bytes = new TextEncoder().encode(JSON.stringify({ traceEvents }));
  warnings = 0;
  const { profiles } = await context.importProfiles("trace.json", bytes.buffer);
  const calls = {};
  profiles[0].forEachCall(
    (node, at) => { calls[node.frame.name] = [at]; },
    (node, at) => { calls[node.frame.name].push(at); },
  );
  const texts = Object.entries(calls).map(([name, [from, to]]) => `, ${name} from ${from.toFixed(1)} to ${to.toFixed(1)}`);
  console.log(`empty event of ${length} µs: ${warnings} warnings${texts.join("")}`);
}
show(0).then(() => show(0.0002));
END

expected="speedscope 1.25.0
empty event of 0 µs: 4 warnings, a from 0.0 to 2.0
empty event of 0.0002 µs: 0 warnings, a from 0.0 to 2.0, b from 2.0 to 4.0, empty from 2.0 to 2.0"
seen=$(echo "speedscope $(node -p 'require("./package/package.json").version')" && node import.js)
echo "$seen"
[[ "$seen" == "$expected" ]]
