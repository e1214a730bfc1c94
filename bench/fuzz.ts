/**
 * `npm run fuzz -- --inputs 500000 [NAME…]`: changed and arbitrary inputs for the parsers of what agents and strangers send
 * (bench/fuzzing/parsers.ts). Ends with exit code 1 when one throws what is not a coded refusal, takes more processor time than an
 * input may, or does not end.
 */
import { toolOptions } from '../src/programs/kit/toolOptions.js'
import { SeededRandom } from '../src/simulation/world/seededRandom.js'
import { type FuzzedParser, type FuzzFailure, type FuzzResult, fuzzedInput } from './fuzzing/fuzzParser.js'
import { parsers } from './fuzzing/parsers.js'
import { startFuzz, watchedFuzz } from './fuzzing/watchedFuzz.js'
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
const checkMs = 1_000
/** Far more than one takes on a machine that does much else: see FuzzWatch. */
const endlessMs = 60_000
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const shownBytesMax = 400

const sayFailure = (name: string, { index, input, says }: FuzzFailure): void =>
  say(`${name}: input ${index} (${input.byteLength} bytes): ${Buffer.from(input.subarray(0, shownBytesMax)).toString('hex')}\n  ${says}`)

const fuzz = async (parser: FuzzedParser): Promise<FuzzResult> => {
  let saidMs = systemMs()
  const task = { name: parser.name, inputs, seed, begun: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT) }
  const onProgress = (begun: number): void => {
    if (systemMs() - saidMs < progressMs) return
    saidMs = systemMs()
    say(`${parser.name}: ${begun} of ${inputs} inputs`)
  }
  const made = await watchedFuzz(startFuzz(task), task, { inputMsMax: endlessMs, checkMs, onProgress })
  const result = 'endless' in made ? endlessResult(parser, made.endless) : made
  for (const failure of result.failures) sayFailure(parser.name, failure)
  return result
}

const endlessResult = (parser: FuzzedParser, index: number): FuzzResult => {
  const input = fuzzedInput(parser, new SeededRandom(seed).fork(parser.name), index)
  const says = `does not end: it took more than ${endlessMs / 1_000} s; again with --seed ${seed}`
  return { inputs: index + 1, counts: new Map(), failures: [{ index, input, says }], slowestMs: endlessMs }
}

say(`seed ${seed}: ${inputs} inputs for each of ${chosen.length} parsers; again with --seed ${seed}`)
const results: (FuzzResult & { readonly name: string })[] = []
for (const parser of chosen) results.push({ name: parser.name, ...(await fuzz(parser)) })
const width = Math.max(...results.map(({ name }) => name.length))
for (const { counts, failures, inputs: done, name, slowestMs } of results) {
  const made = [...counts].sort(([, a], [, b]) => b - a).map(([what, count]) => `${what} ${count}`)
  say(
    `${name.padEnd(width)}  ${String(done).padStart(8)} inputs  ${failures.length} bugs  slowest ${slowestMs.toFixed(1)} ms  ${made.join(', ')}`,
  )
}
process.exitCode = results.some(({ failures }) => failures.length > 0) ? 1 : 0
