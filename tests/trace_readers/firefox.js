// Prints as JSON what the Firefox Profiler takes of a trace: for each marker the number of its thread in the file, its
// begin and its length in nanoseconds, `null` of an instant, and its name.
//
//     node firefox.js FOLDER TRACE
//
// FOLDER is the unpacked package of npm, the command line of the profiler, which needs Node.js 24. It keeps a profile in
// a process in the background, and its files in the home folder, so it gets one that is deleted in the end.
"use strict";

const { execFileSync } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");

const [folder, trace] = process.argv.slice(2);
const home = fs.mkdtempSync(path.join(os.tmpdir(), "firefox-profiler-"));
const program = path.join(folder, "dist/profiler-cli.js");

function profiler(...args) {
  const options = { env: { ...process.env, HOME: home }, maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "pipe"] };
  return execFileSync(process.execPath, [program, ...args], options).toString();
}

// Returns the name of its session. The process in the background has half a second to begin, which may be too short.
function load() {
  for (let attempt = 1; ; attempt += 1) {
    const session = `trace-${attempt}`;
    try {
      profiler("load", trace, "--session", session);
      return session;
    } catch (error) {
      if (attempt === 20 || !String(error.stderr).includes("did not become ready")) throw error;
    }
  }
}

const nanos = (millis) => Math.round(millis * 1e6);

try {
  const session = ["--session", load()];
  const { processes } = JSON.parse(profiler("profile", "info", "--all", "--json", ...session));
  const markers = processes.flatMap(({ threads }) => threads).flatMap(({ threadHandle, tid }) => {
    const all = ["--thread", threadHandle, "--list", "--limit", "0", "--json", ...session];
    const { flatMarkers } = JSON.parse(profiler("thread", "markers", ...all));
    const thread = Number(String(tid).split(":").pop());
    return flatMarkers.map(({ name, start, duration }) =>
      [thread, nanos(start), duration === undefined || duration === null ? null : nanos(duration), name]);
  });
  console.log(JSON.stringify(markers));
} finally {
  try { profiler("stop", "--all"); } catch { /* None has begun. */ }
  fs.rmSync(home, { recursive: true, force: true });
}
