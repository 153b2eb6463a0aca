#!/usr/bin/env bash
# speedscope 1.25.0 (npm): of two complete events (`X`) of one thread that touch, the first one may last until the end
# of the whole profile.
#
# The first takes 0.2 µs from 0.1 µs on, and the second begins at 0.3 µs. speedscope adds these numbers as doubles, which
# makes 0.30000000000000004, so the end of the first one comes after the begin of the second one. It then takes the
# second for the inside of the first, drops that end with a warning on the console, and closes the first event at the
# end of the profile. With a second event that begins at 0.301 µs, the first ends as it should. Times in whole
# microseconds are not affected, nor those where the sum is not rounded up.
#
# Meanwhile writes each length shorter by a fraction of a nanosecond: src/trace/chrome/write.rs.
#
# Seen with Node.js 20 on x86_64 Linux 6.18:
#
#     speedscope 1.25.0
#     second event at 0.3 µs: a from 0.0 to 0.6, b from 0.2 to 0.6
#     second event at 0.301 µs: a from 0.0 to 0.2, b from 0.2 to 0.6
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
const quiet = { log() {}, warn() {}, error() {} };
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

async function show(begin) {
  const event = (name, ts, dur) => ({ ph: "X", pid: 1, tid: 1, name, ts, dur });
  const text = JSON.stringify({ traceEvents: [event("a", 0.1, 0.2), event("b", begin, 0.4)] });
  const bytes = new TextEncoder().encode(text);
  const { profiles } = await context.importProfiles("trace.json", bytes.buffer);
  const calls = {};
  profiles[0].forEachCall(
    (node, at) => { calls[node.frame.name] = [at]; },
    (node, at) => { calls[node.frame.name].push(at); },
  );
  const texts = Object.entries(calls).map(([name, [from, to]]) => `${name} from ${from.toFixed(1)} to ${to.toFixed(1)}`);
  console.log(`second event at ${begin} µs: ${texts.join(", ")}`);
}
show(0.3).then(() => show(0.301));
END

expected="speedscope 1.25.0
second event at 0.3 µs: a from 0.0 to 0.6, b from 0.2 to 0.6
second event at 0.301 µs: a from 0.0 to 0.2, b from 0.2 to 0.6"
seen=$(echo "speedscope $(node -p 'require("./package/package.json").version')" && node import.js)
echo "$seen"
[[ "$seen" == "$expected" ]]
