/**
 * `npm run fuzz -- --inputs 500000 [NAME…]`: changed and arbitrary inputs for the parsers of what agents and strangers send
 * (bench/fuzzing/parsers.ts). Ends with exit code 1 when one throws what is not a coded
 * refusal, or takes more processor time than an input may. One that never ends stops the lines of progress, and the run with it.
 */
import { toolOptions } from '../src/programs/kit/toolOptions.js'
import { SeededRandom } from '../src/simulation/world/seededRandom.js'
import { type FuzzResult, fuzzParser } from './fuzzing/fuzzParser.js'
import { parsers } from './fuzzing/parsers.js'
import { systemMs } from './systemClock.js'
import { type FuzzOptions, fuzzCommand } from './toolCommands.js'

const command = fuzzCommand()
const { inputs, seed = String(Math.floor(systemMs())) } = toolOptions<FuzzOptions>(command)
const names = command.args.map((name) => name.toLowerCase())
const chosen = names.length === 0 ? parsers : parsers.filter(({ name }) => names.some((part) => name.toLowerCase().includes(part)))
if (chosen.length === 0) {
  process.stderr.write(`No parser is called like that; there are: ${parsers.map(({ name }) => name).join('; ')}.\n`)
  process.exit(1)
}

const progressMs = 5_000
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const shownBytesMax = 400

const fuzz = (parser: (typeof parsers)[number]): FuzzResult => {
  let saidMs = systemMs()
  const result = fuzzParser(parser, inputs, new SeededRandom(seed).fork(parser.name), (done) => {
    if (systemMs() - saidMs < progressMs) return
    saidMs = systemMs()
    say(`${parser.name}: ${done} of ${inputs} inputs`)
  })
  for (const { index, input, says } of result.failures)
    say(
      `${parser.name}: input ${index} (${input.byteLength} bytes): ${Buffer.from(input.subarray(0, shownBytesMax)).toString('hex')}\n  ${says}`,
    )
  return result
}

say(`seed ${seed}: ${inputs} inputs for each of ${chosen.length} parsers; again with --seed ${seed}`)
const results = chosen.map((parser) => ({ name: parser.name, ...fuzz(parser) }))
const width = Math.max(...results.map(({ name }) => name.length))
for (const { counts, failures, inputs: done, name, slowestMs } of results) {
  const made = [...counts].sort(([, a], [, b]) => b - a).map(([what, count]) => `${what} ${count}`)
  say(
    `${name.padEnd(width)}  ${String(done).padStart(8)} inputs  ${failures.length} bugs  slowest ${slowestMs.toFixed(1)} ms  ${made.join(', ')}`,
  )
}
process.exitCode = results.some(({ failures }) => failures.length > 0) ? 1 : 0
