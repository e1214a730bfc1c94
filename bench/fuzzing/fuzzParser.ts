/** Throws changed and arbitrary inputs at one parser, and counts what it makes of them. */
import { asClusterError, ClusterError } from '../../src/base/errors.js'
import type { SeededRandom } from '../../src/simulation/world/seededRandom.js'

export interface FuzzedParser {
  /** What one input may cost, in milliseconds of processor time; 2 000 when left out. */
  readonly inputMsMax?: number
  readonly name: string
  /** Valid inputs of every kind: what is thrown is made of them. */
  readonly examples: () => readonly Uint8Array[]
  /** What it makes of any bytes: `taken`, or the code of its refusal, which it may also throw. Any other throw is a bug. */
  readonly parse: (bytes: Uint8Array) => string
}

export interface FuzzFailure {
  /** Of the input, from 0: `--seed` and it make the input again. */
  readonly index: number
  readonly input: Uint8Array
  readonly says: string
}

export interface FuzzResult {
  readonly inputs: number
  /** By what the parser made of them. */
  readonly counts: ReadonlyMap<string, number>
  readonly failures: readonly FuzzFailure[]
  /** Of processor time. */
  readonly slowestMs: number
}

const failuresMax = 5
/** Of one input, in processor time, because a busy machine stops anything for seconds: more is what it should not cost. */
const inputMsMaxDefault = 2_000
const inputBytesMax = 70_000
const randomBytesMax = 300

export const fuzzParser = (
  parser: FuzzedParser,
  inputs: number,
  random: SeededRandom,
  onInput: (index: number) => void = () => undefined,
): FuzzResult => {
  const examples = parser.examples()
  const counts = new Map<string, number>()
  const failures: FuzzFailure[] = []
  let slowestMs = 0
  let done = 0
  for (; done < inputs && failures.length < failuresMax; done++) {
    onInput(done)
    const input = inputOf(examples, random.fork(String(done)), done)
    const before = process.cpuUsage()
    const made = madeOf(parser, input)
    const { system, user } = process.cpuUsage(before)
    const tookMs = (system + user) / 1_000
    slowestMs = Math.max(slowestMs, tookMs)
    const isSlow = tookMs > (parser.inputMsMax ?? inputMsMaxDefault)
    if (made.isBug || isSlow)
      failures.push({ index: done, input, says: isSlow ? `took ${Math.round(tookMs)} ms of processor time` : made.says })
    else counts.set(made.says, (counts.get(made.says) ?? 0) + 1)
  }
  return { inputs: done, counts, failures, slowestMs }
}

/** The input of this index again. */
export const fuzzedInput = ({ examples }: FuzzedParser, random: SeededRandom, index: number): Uint8Array =>
  inputOf(examples(), random.fork(String(index)), index)

const madeOf = (parser: FuzzedParser, input: Uint8Array): { readonly says: string; readonly isBug: boolean } => {
  try {
    return { says: parser.parse(input), isBug: false }
  } catch (thrown) {
    const { code } = asClusterError(thrown)
    if (thrown instanceof ClusterError && code !== 'internal') return { says: code, isBug: false }
    return { says: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown), isBug: true }
  }
}

const below = (random: SeededRandom, count: number): number => Math.floor(random.fraction() * count)

/** The examples as they are come first. */
const inputOf = (examples: readonly Uint8Array[], random: SeededRandom, index: number): Uint8Array => {
  const pick = (): Uint8Array => examples[below(random, examples.length)] ?? new Uint8Array(0)
  const example = examples[index]
  if (example) return Uint8Array.from(example)
  if (below(random, 10) === 0) return randomBytes(random, below(random, randomBytesMax))
  let bytes: Uint8Array = Uint8Array.from(pick())
  for (let changes = 1 + below(random, 4); changes > 0; changes--) {
    const change = changesOfInputs[below(random, changesOfInputs.length)]
    if (change) bytes = change(bytes, random, pick)
  }
  return bytes.subarray(0, inputBytesMax)
}

type InputChange = (bytes: Uint8Array, random: SeededRandom, pick: () => Uint8Array) => Uint8Array

/** Bytes that parsers treat in a way of their own. */
const special = [0, 1, 9, 10, 13, 32, 33, 34, 35, 39, 45, 46, 47, 48, 58, 91, 92, 93, 123, 124, 125, 127, 128, 255]

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts)

const changesOfInputs: readonly InputChange[] = [
  (bytes, random) => {
    const at = below(random, bytes.byteLength)
    if (bytes.byteLength > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8))
    return bytes
  },
  (bytes, random) => {
    if (bytes.byteLength > 0) bytes[below(random, bytes.byteLength)] = special[below(random, special.length)] ?? 0
    return bytes
  },
  (bytes, random) => {
    const at = below(random, bytes.byteLength + 1)
    const inserted =
      below(random, 2) === 0 ? Uint8Array.of(special[below(random, special.length)] ?? 0) : randomBytes(random, 1 + below(random, 12))
    return joined(bytes.subarray(0, at), inserted, bytes.subarray(at))
  },
  (bytes, random) => bytes.slice(0, below(random, bytes.byteLength + 1)),
  (bytes, random) => bytes.slice(below(random, bytes.byteLength + 1)),
  (bytes, random) => {
    const from = below(random, bytes.byteLength + 1)
    const end = from + below(random, bytes.byteLength - from + 1)
    return joined(bytes.subarray(0, end), bytes.subarray(from))
  },
  (bytes, random, pick) => joined(bytes.subarray(0, below(random, bytes.byteLength + 1)), pick()),
  (bytes, random) => {
    const from = below(random, bytes.byteLength + 1)
    const end = from + below(random, Math.min(16, bytes.byteLength - from) + 1)
    return joined(bytes.subarray(0, from), bytes.subarray(end))
  },
]

const randomBytes = (random: SeededRandom, count: number): Uint8Array => Uint8Array.from({ length: count }, () => below(random, 256))
