// The same plan as engines_bench, through the public interfaces of the peers.
//   node --expose-gc peers.mjs PLAN results|rates
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { evaluate } from 'feelin';
import { Engine } from 'bpmn-engine';
import * as Elements from 'bpmn-elements';
import BpmnModdle from 'bpmn-moddle';
import serializer, { TypeResolver } from 'moddle-context-serializer';

const { decisionTable } = createRequire(import.meta.url)('@hbtgmbh/dmn-eval-js');

const RUNS = 3, RUN_MS = 500;
const [planFile, what] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planFile, 'utf8'));
const out = {};

const processorMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

// How often a second of processor time, the median of some runs; `work` may answer with a promise.
async function rate(work) {
  const rates = [];
  for (let run = 0; run < RUNS + 1; run++) { // the first warms up
    const from = processorMs();
    let count = 0, ms = 0;
    do {
      const made = work();
      if (made instanceof Promise) await made;
      count++;
      ms = processorMs() - from;
    } while (ms < RUN_MS);
    if (run) rates.push(count * 1000 / ms);
  }
  return Math.round(rates.sort((a, b) => a - b)[RUNS >> 1]);
}

for (const { name, text, context } of plan.expressions) {
  out[name] = what === 'rates' ? await rate(() => evaluate(text, context)) : [evaluate(text, context).value];
}

for (const { name, peer_file, decision, inputs } of plan.tables) {
  const decisions = await decisionTable.parseDmnXml(readFileSync(peer_file, 'utf8'));
  let turn = 0;
  const decide = () => decisionTable.evaluateDecision(decision, decisions, inputs[turn++ % inputs.length]);
  out[name] = what === 'rates' ? await rate(decide) : inputs.map(decide);
}

// Starts the flow and signals every task in the order they began to wait, to the end.
function walk(options, variables) {
  const names = [], open = [];
  const listener = { emit() {} };
  return new Promise((resolve, reject) => {
    const engine = new Engine({ name: 'bench', ...options });
    listener.emit = (event, api) => {
      if (event !== 'activity.wait') return;
      names.push(api.id);
      open.push(api);
    };
    engine.once('end', () => resolve(names));
    engine.once('error', reject);
    engine.execute({ listener, variables }).then(() => {
      while (open.length) open.shift().signal();
    }, reject);
  });
}

// One that stays where it is, at its first task.
async function wait(options, variables) {
  const engine = new Engine({ name: 'bench', ...options });
  await engine.execute({ listener: { emit() {} }, variables });
  return engine;
}

async function bytesEach(options, variables, count) {
  const kept = [];
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < count; i++) kept.push(await wait(options, variables));
  globalThis.gc();
  return { instances: kept.length, bytes_each: Math.round((process.memoryUsage().heapUsed - before) / count) };
}

for (const { name, file, values, waiting } of plan.flows) {
  const source = readFileSync(file, 'utf8');
  const moddle = await new BpmnModdle().fromXML(source);
  const sourceContext = serializer(moddle, TypeResolver(Elements));
  if (what !== 'rates') {
    out[name] = [await walk({ source }, values)];
    const cached = await walk({ sourceContext }, values);
    if (JSON.stringify(cached) !== JSON.stringify(out[name][0])) throw new Error(`${name}: ${cached}`);
    continue;
  }
  out[name] = await rate(() => walk({ source }, values));
  out[`${name}, parsed once`] = await rate(() => walk({ sourceContext }, values));
  if (waiting) {
    out[`${name}, waiting`] = await bytesEach({ source }, values, plan.peer_waiting);
    out[`${name}, parsed once, waiting`] = await bytesEach({ sourceContext }, values, plan.peer_waiting);
  }
}

console.log(JSON.stringify(out));
