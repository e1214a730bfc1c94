/** muster-agents: runs a fleet over the real network until its time is over or a signal comes, then prints the account. */
import { Fleet } from '../../actors/fleet/fleet.js'
import type { FleetOptions } from '../../actors/fleet/fleetContext.js'
import { asClusterError, ClusterError } from '../../base/errors.js'
import { replaceFile } from '../../disk/agents/replaceFile.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import { keyLineText } from '../../domain/agents/keyLine.js'
import { accountOf, type SentRange } from '../../domain/fleet/eventAccount.js'
import { createNodeDisk } from '../../platform/machine/nodeDisk.js'
import { realClock } from '../../platform/machine/realClock.js'
import { realRandom } from '../../platform/machine/realRandom.js'
import { createAgentNetwork } from '../../platform/net/agentNetwork.js'
import type { ProgramOptions } from '../kit/controlProgram.js'
import { ReaderGone, writeText } from '../kit/writeText.js'
import { type AgentsArguments, parseAgentsArguments } from './agentsArguments.js'
import { type AgentsReport, liveLine, reportText } from './agentsReport.js'
import { EventTally } from './eventTally.js'

const tickMs = 20
const readEveryMs = 50
const ttyLineEveryMs = 500
const plainLineEveryMs = 5_000
/** What agents wait at the end for the nodes to close their connections. */
const stopMsMax = 15_000
/** Events that are on their way into a segment come within this time; it begins again whenever one came. */
const quietMsMax = 3_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => realClock.setTimeout(resolve, ms))

const optionsOf = (given: AgentsArguments, run: string): FleetOptions => ({
  run,
  agents: given.agents,
  namePrefix: given.namePrefix,
  settings: given.settings,
  ...(given.rotates && { firstServer: (number) => number - 1 }),
  keys: given.keys.slice(0, given.agents),
  ...(given.password !== undefined && { password: given.password }),
  version: given.version,
  labels: [],
  eventsPerSecond: given.rate,
  eventBytes: given.size,
  startsPerSecond: given.startsPerSecond,
  tickMs,
})

/** One run of the program. */
class AgentsRun {
  readonly #given: AgentsArguments
  readonly #world: ProgramOptions
  readonly #tally: EventTally | undefined
  readonly #fleet: Fleet
  readonly #entries: (KeyEntry | undefined)[]
  readonly #refusals = new Set<string>()
  readonly #enrolledThrough: Record<string, number> = {}
  readonly #startedMs = realClock.monotonicMs()
  #shownMs = this.#startedMs
  #isOver = false

  constructor(given: AgentsArguments, world: ProgramOptions) {
    this.#given = given
    this.#world = world
    const run = `r${Buffer.from(realRandom.bytes(6)).toString('hex')}`
    this.#tally = given.account.length > 0 ? new EventTally(run, createNodeDisk(), given.account) : undefined
    this.#entries = given.keys.slice(0, given.agents)
    this.#fleet = new Fleet({ network: createAgentNetwork(), clock: realClock, random: realRandom }, optionsOf(given, run), {
      enrolled: (number, entry) => {
        this.#entries[number - 1] = entry
        this.#noteEnrolment(number)
      },
      notEnrolled: (_, error) => this.#complainOnce(error.message),
    })
  }

  /** Nothing is said to anybody: the run failed. */
  kill(): void {
    this.#isOver = true
    this.#fleet.kill()
    this.#tally?.close()
  }

  /** Ends the run before its time. */
  end(): void {
    this.#isOver = true
  }

  async run(): Promise<AgentsReport> {
    const endsAtMs = this.#startedMs + (this.#given.durationMs ?? Number.POSITIVE_INFINITY)
    this.#fleet.start()
    while (!this.#isOver && realClock.monotonicMs() < endsAtMs) {
      await pause(Math.min(readEveryMs, Math.max(1, endsAtMs - realClock.monotonicMs())))
      this.#tally?.read()
      this.#show()
    }
    const counts = this.#fleet.counts()
    const connectedTo = Object.fromEntries(this.#fleet.connectedTo())
    this.#clearLine()
    const seconds = this.#seconds()
    const ranges = await this.#stopped()
    await this.#readToTheEnd()
    return {
      agents: this.#given.agents,
      seconds,
      events: this.#tally && { ...accountOf(ranges, this.#tally.received), segmentsMissed: this.#tally.segmentsMissed },
      counts: { ...this.#fleet.counts(), connected: counts.connected },
      latencies: { ...this.#fleet.latencies(), ...(this.#tally && { event: this.#tally.latencies.summary() }) },
      enrolledThrough: this.#enrolledThrough,
      connectedTo,
    }
  }

  #noteEnrolment(number: number): void {
    const { enrolment } = this.#given.settings
    const at = this.#fleet.agents[number - 1]?.server
    const server = `${enrolment.host ?? at?.host ?? ''}:${at?.enrolmentPort ?? enrolment.port}`
    this.#enrolledThrough[server] = (this.#enrolledThrough[server] ?? 0) + 1
  }

  async #stopped(): Promise<readonly SentRange[]> {
    let isStopped = false
    const stopping = this.#fleet.stop(stopMsMax).finally(() => {
      isStopped = true
    })
    // A node that has to wait for its reader is not to wait for us.
    while (!isStopped) {
      this.#tally?.read()
      await pause(readEveryMs)
    }
    return stopping
  }

  async #readToTheEnd(): Promise<void> {
    const tally = this.#tally
    if (!tally) return
    const { sent } = this.#fleet.counts()
    let received = -1
    for (let quietMs = 0; quietMs < quietMsMax && tally.received.received < sent; quietMs += readEveryMs) {
      while (tally.read());
      if (tally.received.received !== received) quietMs = 0
      received = tally.received.received
      await pause(readEveryMs)
    }
    while (tally.read());
    tally.close()
  }

  #show(): void {
    const isTty = 'isTTY' in this.#world.stderr && this.#world.stderr.isTTY === true
    const nowMs = realClock.monotonicMs()
    if (nowMs - this.#shownMs < (isTty ? ttyLineEveryMs : plainLineEveryMs)) return
    this.#shownMs = nowMs
    const line = liveLine({
      agents: this.#given.agents,
      seconds: this.#seconds(),
      counts: this.#fleet.counts(),
      received: this.#tally?.received.received,
      latencies: this.#fleet.latencies(),
      connectedTo: this.#fleet.connectedTo(),
    })
    this.#world.stderr.write(isTty ? `\r\x1b[K${line}` : `${line}\n`)
  }

  #clearLine(): void {
    if ('isTTY' in this.#world.stderr && this.#world.stderr.isTTY === true) this.#world.stderr.write('\r\x1b[K')
  }

  /** Each reason once, and not without end. */
  #complainOnce(says: string): void {
    if (this.#refusals.has(says) || this.#refusals.size >= reasonsShownMax) return
    this.#refusals.add(says)
    this.#clearLine()
    this.#world.stderr.write(`An enrolment failed: ${says}\n`)
  }

  /** No other user may read the file, even where there was one before. */
  saveKeys(): void {
    const { saveKeys: file } = this.#given
    if (file === undefined) return
    const lines = this.#entries.flatMap((entry) => (entry ? [`${keyLineText(entry)}\n`] : []))
    try {
      replaceFile(createNodeDisk(), file, [Buffer.from(lines.join(''))], keysMode)
    } catch (cause) {
      throw new ClusterError('fileFailed', { message: `${file} cannot be written`, cause })
    }
  }

  #seconds(): number {
    return (realClock.monotonicMs() - this.#startedMs) / 1_000
  }
}

const reasonsShownMax = 8
const keysMode = 0o600

const runOnce = async (given: AgentsArguments, world: ProgramOptions): Promise<number> => {
  const run = new AgentsRun(given, world)
  const onSignal = (): void => run.end()
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  try {
    const report = await run.run()
    // What was counted is shown, also when the keys cannot be saved.
    await writeText(world.stdout, [given.json ? `${JSON.stringify(report)}\n` : reportText(report)])
    return report.events && report.events.lost > 0 ? 1 : 0
  } catch (thrown) {
    run.kill()
    throw thrown
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    run.saveKeys()
  }
}

/** Runs one command line (without the program's name); resolves with the exit code and never rejects. */
export const runMusterAgents = async (argv: readonly string[], world: ProgramOptions): Promise<number> => {
  const parsed = parseAgentsArguments(argv)
  try {
    if ('mistake' in parsed) throw new ClusterError('argumentsInvalid', { message: `Wrong arguments: ${parsed.mistake}` })
    if ('shown' in parsed) {
      await writeText(world.stdout, [parsed.shown])
      return 0
    }
    return await runOnce(parsed.given, world)
  } catch (thrown) {
    if (thrown instanceof ReaderGone) return 0
    world.stderr.write(`ERROR: ${asClusterError(thrown).message}\n`)
    return 2
  }
}
