// Prints as JSON what the importer of speedscope takes of a trace: its profiles, one for each thread, and its warnings.
// A profile has how many nanoseconds each of its calls took, without those of no time at all.
//
//     node speedscope.js FOLDER TRACE
//
// FOLDER is the unpacked package of npm. The importer is a part of its page; it runs here without a window, under the
// name that it has in version 1.25.0.
"use strict";

const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [folder, trace] = process.argv.slice(2);
const release = path.join(folder, "dist/release");
const name = fs.readdirSync(release).find((file) => /^speedscope-.*\.js$/.test(file));
const page = fs.readFileSync(path.join(release, name), "utf8");
const opening = '"use strict";(()=>{';
const code = page.replace(opening, `${opening}globalThis.importProfiles=(...all)=>Xy(...all);`);

// Whatever the page asks the browser for.
const anything = () => new Proxy(function () {}, {
  get: (_, key) => (key === Symbol.toPrimitive ? () => "" : key === "length" ? 0 : anything()),
  apply: anything, construct: anything, has: () => true, set: () => true,
});
const warnings = [];
const warn = (...words) => warnings.push(words.map(String).join(" "));
const browser = {
  ArrayBuffer, Buffer, DataView, Float32Array, Promise, TextDecoder, TextEncoder, URL, Uint8Array, WebAssembly, atob,
  clearTimeout, performance, setTimeout, console: { log() {}, warn, error: warn }, document: anything(),
  fetch: anything(), localStorage: anything(), addEventListener() {}, matchMedia: anything(),
  requestAnimationFrame: () => 0, location: { hash: "", href: "http://localhost/", protocol: "http:" },
  navigator: { userAgent: "", platform: "" }, FontFace: class { load() { return Promise.resolve(); } },
  HTMLElement: class {}, Image: class {},
};
browser.window = browser.self = browser;
const context = vm.createContext(browser);
try { vm.runInContext(code, context); } catch { /* There is nothing to draw on. */ }
// Those are about the page.
warnings.length = 0;

async function main() {
  const bytes = new Uint8Array(fs.readFileSync(trace));
  const imported = await context.importProfiles(path.basename(trace), bytes.buffer);
  const profiles = imported.profiles.map((profile) => {
    const open = [], nanos = [];
    profile.forEachCall(
      (_, at) => { open.push(at); },
      (_, at) => { nanos.push(Math.round((at - open.pop()) * 1000)); },
    );
    return { name: profile.getName(), nanos };
  });
  console.log(JSON.stringify({ profiles, warnings }));
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
