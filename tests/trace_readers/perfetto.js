// Loads a trace in Perfetto's trace processor, as Perfetto's page does it, and prints the rows of each query as JSON:
//
//     node perfetto.js FOLDER TRACE SQL...
//
// FOLDER has `engine_bundle.js` and `trace_processor.wasm` of a release of that page. The bundle is the script of a web
// worker, which talks in messages of Protocol Buffers. Of these, the few that are needed are written and read here by
// hand; the numbers are those of `TraceProcessorRpc` in Perfetto's `trace_processor.proto`.
"use strict";

const fs = require("fs");
const path = require("path");

const APPEND = 1, FINALIZE = 2, QUERY = 3;
const CELL_NULL = 1, CELL_INTEGER = 2, CELL_FLOAT = 3, CELL_TEXT = 4;

/** A number of no more than 53 bits. */
function varint(number) {
  const bytes = [];
  for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) | 128);
  return Buffer.from([...bytes, number]);
}
const numberField = (field, number) => Buffer.concat([varint(field * 8), varint(number)]);
const bytesField = (field, bytes) => Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);

/** The numbers one after the other. They have a sign. */
function* varints(bytes) {
  for (let at = 0; at < bytes.length;) {
    let number = 0n, shift = 0n, byte;
    do {
      byte = bytes[at++];
      number |= BigInt(byte & 127) << shift;
      shift += 7n;
    } while (byte > 127);
    yield { number: Number(BigInt.asIntN(64, number)), end: at };
  }
}

/** The fields of a message, by number. Each has all its values. */
function fields(bytes) {
  const found = {};
  for (let at = 0; at < bytes.length;) {
    const next = () => {
      const { number, end } = varints(bytes.subarray(at)).next().value;
      at += end;
      return number;
    };
    const tag = next();
    let value;
    switch (tag & 7) {
      case 0: value = next(); break;
      case 1: value = bytes.subarray(at, at += 8); break;
      case 2: { const length = next(); value = bytes.subarray(at, at += length); break; }
      default: throw new Error(`a field of the unknown kind ${tag & 7}`);
    }
    (found[tag >> 3] ??= []).push(value);
  }
  return found;
}

const text = (values) => values?.map((bytes) => bytes.toString()).join(" ");

/** The cells of a part of an answer. */
function cells(batch) {
  const { 1: kinds = [], 2: integers = [], 3: floats = [], 5: texts = [] } = fields(batch);
  const numbers = varints(Buffer.concat(integers));
  const doubles = Buffer.concat(floats);
  const strings = Buffer.concat(texts).toString().split("\0").values();
  let double = 0;
  return [...Buffer.concat(kinds)].map((kind) => {
    switch (kind) {
      case CELL_NULL: return null;
      case CELL_INTEGER: return numbers.next().value.number;
      case CELL_FLOAT: return doubles.readDoubleLE(8 * double++);
      case CELL_TEXT: return strings.next().value;
      default: throw new Error(`a cell of the unknown kind ${kind}`);
    }
  });
}

/** Starts the worker. The result sends it one request, and returns its replies. */
async function start(folder) {
  class FileRequest {
    open(_, name) { this.name = path.basename(name); }
    send() { this.response = fs.readFileSync(path.join(folder, this.name)); }
  }
  const worker = { location: { href: "http://localhost/engine_bundle.js" } };
  // What the bundle asks for by name, in order to find out that it is a worker and no program of Node.js.
  const names = {
    self: worker, WorkerGlobalScope: class {}, XMLHttpRequest: FileRequest, process: undefined,
    console: { ...console, log: console.error },
  };
  const bundle = fs.readFileSync(path.join(folder, "engine_bundle.js"), "utf8");
  new Function(...Object.keys(names), bundle)(...Object.values(names));
  let replies = [];
  const port = { postMessage: (bytes) => replies.push(Buffer.from(bytes)) };
  worker.onmessage({ data: port });
  await new Promise(setImmediate);
  let sent = 0;
  return (method, args) => {
    replies = [];
    const request = [numberField(1, sent++), numberField(2, method), ...(args ? [args] : [])];
    port.onmessage({ data: new Uint8Array(bytesField(1, Buffer.concat(request))) });
    // Each reply is in a stream of its own.
    const read = replies.flatMap((bytes) => fields(bytes)[1]).map((reply) => fields(reply));
    for (const reply of read) {
      if (reply[5]) throw new Error(text(reply[5]));
      if (reply[3]?.[0] !== method) throw new Error(`${JSON.stringify(reply)} does not answer request ${method}`);
    }
    return read;
  };
}

function query(send, sql) {
  let columns, values = [];
  for (const reply of send(QUERY, bytesField(103, bytesField(1, Buffer.from(sql))))) {
    const { 1: names, 2: error, 3: batches = [] } = fields(reply[203][0]);
    if (error?.[0].length) throw new Error(`${sql}: ${text(error)}`);
    columns ??= names.length;
    values = values.concat(...batches.map(cells));
  }
  const rows = [];
  for (let at = 0; at < values.length; at += columns) rows.push(values.slice(at, at + columns));
  return rows;
}

async function main([folder, trace, ...queries]) {
  const send = await start(folder);
  const bytes = fs.readFileSync(trace);
  for (let at = 0; at < bytes.length; at += 1 << 20) {
    for (const reply of send(APPEND, bytesField(101, bytes.subarray(at, at + (1 << 20))))) {
      const { 2: error } = fields(reply[201][0]);
      if (error) throw new Error(`${trace}: ${text(error)}`);
    }
  }
  send(FINALIZE);
  console.log(JSON.stringify(queries.map((sql) => query(send, sql))));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
