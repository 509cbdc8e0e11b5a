// The call of RFC 3261 §24.2 between four WebAssembly machines: this program is their network and their clock.
// Fails if another message than F1 to F14 goes by, or a machine still has something to do 64·T1 after the last one.
import { readFileSync } from 'node:fs';

const MILLISECOND = 1_000_000n;
const NEVER = 2n ** 64n - 1n;
const NAMES = ['alice', 'atlanta', 'biloxi', 'bob'];
const ADDRESS = 0xc0000200; // 192.0.2.0
// Who sends what to whom, as in the figure of RFC 3261 §24.2.
const EXPECTED = [
  'alice atlanta INVITE sip:bob@biloxi.com SIP/2.0',
  'atlanta biloxi INVITE sip:bob@biloxi.com SIP/2.0',
  'atlanta alice SIP/2.0 100 Trying',
  'biloxi bob INVITE sip:bob@biloxi.com SIP/2.0',
  'biloxi atlanta SIP/2.0 100 Trying',
  'bob biloxi SIP/2.0 180 Ringing',
  'biloxi atlanta SIP/2.0 180 Ringing',
  'atlanta alice SIP/2.0 180 Ringing',
  'bob biloxi SIP/2.0 200 OK',
  'biloxi atlanta SIP/2.0 200 OK',
  'atlanta alice SIP/2.0 200 OK',
  'alice bob ACK sip:bob@192.0.2.4 SIP/2.0',
  'bob alice BYE sip:alice@192.0.2.1 SIP/2.0',
  'alice bob SIP/2.0 200 OK',
];

function fail(problem) {
  console.error(problem);
  process.exit(1);
}

const program = new WebAssembly.Module(readFileSync(process.argv[2]));
const machines = NAMES.map((name, index) => {
  // No imports: a machine reaches nothing but what its host hands it.
  const { exports } = new WebAssembly.Instance(program);
  const handle = exports.boot(ADDRESS + 1 + index, BigInt(index + 1));
  if (handle === 0) fail(`${name} does not boot`);
  return { name, exports, handle };
});
const [alice, , , bob] = machines;

let now = 0n;
const underway = []; // [time, from, to, octets], the earliest first
const gone = new Set(); // of F1 to F14, by their places in EXPECTED

// Which message of the figure this is. What one node sends at one time may go in either order.
function place(message) {
  const [sender] = message.split(' ', 1);
  const wanted = EXPECTED.findIndex((expected, index) => expected === message && !gone.has(index));
  const missing = EXPECTED.find((expected, index) => index < wanted && !gone.has(index) && !expected.startsWith(sender));
  if (wanted < 0 || missing !== undefined) fail(`not of the figure, or too early: ${message}`);
  return wanted;
}

function does(machine, verb) {
  if (machine.exports[verb](machine.handle, now) !== 1) fail(`${machine.name} cannot ${verb} at ${now}`);
  drain(machine);
}

function drain(machine) {
  const { exports, handle } = machine;
  for (let length; (length = exports.poll(handle)) > 0; ) {
    const octets = new Uint8Array(exports.memory.buffer, exports.octets(handle), length).slice();
    const to = machines[(exports.destination(handle) >>> 0) - ADDRESS - 1] ?? fail('to nobody');
    const start = new TextDecoder().decode(octets).split('\r\n', 1)[0];
    const number = place(`${machine.name} ${to.name} ${start}`);
    gone.add(number);
    console.log(`${String(now / MILLISECOND).padStart(5)} ms  F${number + 1} ${machine.name} -> ${to.name}: ${start}`);
    underway.push([now + 10n * MILLISECOND, machine, to, octets]);
  }
}

function arrives([time, from, to, octets]) {
  now = time;
  const { exports, handle } = to;
  new Uint8Array(exports.memory.buffer, exports.octets(handle), octets.length).set(octets);
  exports.receive(handle, now, ADDRESS + 1 + machines.indexOf(from), octets.length);
  drain(to);
}

// What the two users do, each as soon as the message before has arrived.
const then = { 5: [bob, 'ring'], 8: [bob, 'answer'], 12: [bob, 'hang_up'] };

function step() {
  const wanting = machines.map(({ exports, handle }) => BigInt.asUintN(64, exports.deadline(handle)));
  const next = wanting.reduce((least, time) => (time < least ? time : least));
  if (underway.length > 0 && underway[0][0] <= next) {
    arrives(underway.shift());
  } else if (next < NEVER) {
    now = next;
    const machine = machines[wanting.indexOf(next)];
    machine.exports.tick(machine.handle, now);
    drain(machine);
  } else {
    return false;
  }
  const act = underway.length === 0 ? then[gone.size] : undefined;
  if (act !== undefined) {
    delete then[gone.size];
    does(...act);
  }
  return true;
}

does(alice, 'call');
while (step());
if (gone.size !== EXPECTED.length) fail(`${gone.size} messages instead of ${EXPECTED.length}`);
const busy = machines.filter(({ exports, handle }) => exports.is_idle(handle) !== 1);
if (busy.length > 0) fail(`not idle: ${busy.map(({ name }) => name)}`);
console.log(`F1 to F14 are carried, and all is over after ${now / MILLISECOND} ms`);
