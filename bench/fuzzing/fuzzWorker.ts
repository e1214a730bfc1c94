/** The thread in which the inputs of one row are parsed. */
import { parentPort, workerData } from 'node:worker_threads'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'
import { fuzzParser } from './fuzzParser.js'
import { parsers } from './parsers.js'
import type { FuzzTask } from './watchedFuzz.js'

// What it is given is made by watchedFuzz, in the same program.
const { begun, inputs, name, seed } = workerData as FuzzTask
const parser = parsers.find((one) => one.name === name)
if (!parser) throw new Error(`No parser is called '${name}'`)
const counter = new Int32Array(begun)
parentPort?.postMessage(fuzzParser(parser, inputs, new SeededRandom(seed).fork(name), (index) => Atomics.store(counter, 0, index)))
