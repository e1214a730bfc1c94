#!/usr/bin/env node
/** `npm run simulate`: runs simulated clusters, shows how far it is, and on a failure the smallest plan and how to replay it. */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { InvalidArgumentError, Option } from 'commander'
import { Piscina } from 'piscina'
import { counted } from '../../base/counted.js'
import { type FaultPlan, faultClasses, faultKinds, parseFaultKinds, parsePlan, renderPlan } from '../../simulation/faults/faultPlan.js'
import { type Shrinking, shrinkPlan } from '../../simulation/faults/shrinkPlan.js'
import {
  fleetOf,
  managerOf,
  type Progress,
  planOf,
  type SimulateOptions,
  type SimulationReport,
  simulate,
} from '../../simulation/simulate.js'
import { numberArgument, toolCommand, toolOptions } from '../kit/toolOptions.js'

const progressEveryMs = 1_000
const shrinkingEveryMs = 3_000
const showEveryMs = 5_000

const result =
  <T>(parse: (text: string) => { ok: true; value: T } | { ok: false; error: Error }) =>
  (text: string): T => {
    const parsed = parse(text)
    if (!parsed.ok) throw new InvalidArgumentError(parsed.error.message)
    return parsed.value
  }

const command = toolCommand('simulate', 'Runs a whole cluster in virtual time, with faults, and checks its rules.')
  .option('--nodes <count>', 'the master and its workers', numberArgument(2, 200, true), 10)
  .option('--seed <number>', 'decides everything that is left to chance', numberArgument(0, 2 ** 32 - 1, true), 42)
  .option('--seeds <count>', 'this many runs, with the seeds from --seed on', numberArgument(1, 100_000, true), 1)
  .option(
    '--jobs <count>',
    'runs at the same time, each on a core of its own; as many as there are cores when left out',
    numberArgument(1, 64, true),
  )
  .option(
    '--agents <count>',
    "agents that speak the real protocol to the nodes' listeners; five in one of five seeds when left out",
    numberArgument(0, 1_000, true),
  )
  .addOption(
    new Option('--manager <which>', 'real managers beside the nodes, which have the agents; in one of seven seeds when left out').choices([
      'wazuh',
      'none',
    ]),
  )
  .option('--tls', 'nodes show certificates to each other; in one of four seeds when left out')
  .option('--no-tls', 'nodes show no certificates')
  .option('--balancer', 'these agents connect through a load balancer that the master drives; in one of ten seeds when left out')
  .option('--no-balancer', 'these agents connect to the nodes directly')
  .option('--virtual-hours <hours>', 'how long there are faults', numberArgument(0.001, 10_000, false), 24)
  .option(
    '--faults <kinds>',
    `all, none, or classes (${faultClasses.join(', ')}) or kinds of fault separated by commas; all when left out`,
    result(parseFaultKinds),
  )
  .option('--faults-per-hour <count>', 'faults per hour on average', numberArgument(0, 10_000, false), 30)
  .option('--plan <json>', 'the faults themselves, as a failure prints them', result(parsePlan))
  .option('--trace <lines>', 'on a failure, show this many of the last events', numberArgument(0, 100_000, true), 20)
  .option(
    '--shrink <count>',
    'on a failure, search for the smallest plan with at most this many runs',
    numberArgument(0, 100_000, true),
    200,
  )
  .option('--json', 'print the reports as JSON lines')
  .addHelpText('after', '\nExample:\n  npm run simulate -- --nodes 10 --seed 42 --virtual-hours 24 --faults all\n')

interface Flags {
  nodes: number
  seed: number
  seeds: number
  jobs?: number
  agents?: number
  manager?: 'wazuh' | 'none'
  tls?: boolean
  balancer?: boolean
  virtualHours: number
  faults?: NonNullable<SimulateOptions['kinds']>
  faultsPerHour: number
  plan?: FaultPlan
  trace: number
  shrink: number
  json?: true
}
const flags = toolOptions<Flags>(command)
const jobs = Math.min(flags.seeds, flags.jobs ?? availableParallelism())

/** Shows a text now and then: on a terminal in one line that is written over, elsewhere in a line of its own. */
const nowAndThen = (everyMs: number): ((text: () => string) => void) => {
  let lastMs = performance.now()
  return (text) => {
    const nowMs = performance.now()
    if (nowMs - lastMs < everyMs) return
    lastMs = nowMs
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text()}` : `${text()}\n`)
  }
}
const clearLine = (): void => void (process.stderr.isTTY && process.stderr.write('\r\x1b[K'))
const secondsSince = (startMs: number): number => (performance.now() - startMs) / 1000

const progressOf = (seed: number, { virtualMs, events, faults, syncs, reports }: Progress): string => {
  const percent = Math.min(100, virtualMs / (flags.virtualHours * 36_000)).toFixed(0)
  return (
    `seed ${seed}: ${percent} % of ${flags.virtualHours} h, ${counted(events, 'event')}, ${counted(faults, 'fault')}, ` +
    `${counted(syncs, 'sync')}, ${counted(reports, 'report')} of agents`
  )
}

const optionsOf = (seed: number, plan?: FaultPlan): SimulateOptions => ({
  seed,
  nodes: flags.nodes,
  ...(flags.agents !== undefined && { agents: flags.agents }),
  ...(flags.manager && { manager: flags.manager }),
  ...(flags.tls !== undefined && { tls: flags.tls }),
  ...(flags.balancer !== undefined && { balancer: flags.balancer }),
  virtualMs: Math.round(flags.virtualHours * 3_600_000),
  kinds: flags.faults ?? faultKinds,
  faultsPerHour: flags.faultsPerHour,
  ...(plan && { plan }),
  linesKept: flags.trace,
})

const threads =
  jobs === 1
    ? undefined
    : new Piscina<SimulateOptions, SimulationReport>({
        filename: fileURLToPath(new URL('../../simulation/simulateWorker.js', import.meta.url)),
        minThreads: jobs,
        maxThreads: jobs,
      })

/** A thread reports nothing before its run is over. */
const simulated = (options: SimulateOptions, onProgress: (progress: Progress) => void): Promise<SimulationReport> =>
  threads ? threads.run(options) : simulate({ ...options, onProgress })

const given = (option: string, isGiven: boolean | undefined): string =>
  isGiven === undefined ? '' : isGiven ? ` --${option}` : ` --no-${option}`

/** What the seed decides is decided by it again. */
const replay = (seed: number, plan: FaultPlan): string =>
  `npm run simulate -- --nodes ${flags.nodes} --seed ${seed} --agents ${fleetOf({ ...flags, seed })} --manager ${managerOf({ ...flags, seed })}` +
  `${given('tls', flags.tls)}${given('balancer', flags.balancer)} --virtual-hours ${flags.virtualHours} --plan '${renderPlan(plan)}'`

const summary = (report: SimulationReport, seconds: number): string =>
  `seed ${report.seed}: ${report.violations.length === 0 ? 'passed' : 'FAILED'} in ${seconds.toFixed(1)} s: ${counted(report.nodes, 'node')}, ` +
  `${(report.virtualMs / 3_600_000).toFixed(2)} virtual hours, ${counted(report.events, 'event')}, ${counted(report.syncs, 'sync')}, ` +
  `${counted(report.faults, 'fault')}, ${counted(report.agents, 'agent')}, ${counted(report.reports, 'report')}, ` +
  `${report.fleet === undefined ? '' : `${counted(report.fleet.events, 'event')} of ${counted(report.fleet.agents, 'real agent')}, `}` +
  `${counted(report.checks, 'check')} of invariants, trace ${report.traceHash.slice(0, 16)}`

/** The smallest plan found that breaks the same rule; it says on stderr how far it is, for it can take many minutes. */
const shrunk = async (seed: number, plan: FaultPlan, rule: string | undefined): Promise<FaultPlan> => {
  process.stderr.write(`Searching the smallest plan that breaks the same rule (at most ${flags.shrink} runs) …\n`)
  const startMs = performance.now()
  const show = nowAndThen(shrinkingEveryMs)
  let { tried, faultsLeft }: Shrinking = { tried: 0, faultsLeft: plan.length }
  const showShrinking = (): void =>
    show(
      () =>
        `Shrinking: ${tried} of at most ${counted(flags.shrink, 'plan')} tried, ${counted(faultsLeft, 'fault')} left, ${secondsSince(startMs).toFixed(0)} s.`,
    )
  const breaksSameRule = async (candidate: FaultPlan): Promise<boolean> => {
    const report = await simulated(optionsOf(seed, candidate), showShrinking)
    return report.violations[0]?.rule === rule
  }
  const smallest = await shrinkPlan(plan, breaksSameRule, flags.shrink, (shrinking) => {
    ;({ tried, faultsLeft } = shrinking)
    showShrinking()
  })
  clearLine()
  return smallest
}

const run = async (seed: number): Promise<boolean> => {
  const startMs = performance.now()
  const show = nowAndThen(progressEveryMs)
  const options = optionsOf(seed, flags.plan)
  const report = await simulated(options, (progress) => show(() => progressOf(seed, progress)))
  clearLine()
  const seconds = secondsSince(startMs)
  if (flags.json) console.log(JSON.stringify({ ...report, lastLines: undefined, seconds }))
  else console.log(summary(report, seconds))
  if (report.violations.length === 0) return true
  for (const { atMs, rule, says } of report.violations.slice(0, 5)) console.log(`  at ${(atMs / 1000).toFixed(3)} s: ${rule}: ${says}`)
  for (const line of report.lastLines) console.log(`    ${line}`)
  const plan = planOf(options)
  const smallest = flags.shrink === 0 ? plan : await shrunk(seed, plan, report.violations[0]?.rule)
  console.log(`The smallest plan found has ${counted(smallest.length, 'fault')}. Replay it with:\n  ${replay(seed, smallest)}`)
  return false
}

let failed = 0
let begun = 0
let ended = 0
const runNext = async (): Promise<void> => {
  while (begun < flags.seeds) {
    if (!(await run(flags.seed + begun++))) failed += 1
    ended += 1
  }
}
const show = nowAndThen(0)
const showing =
  threads && setInterval(() => show(() => `${ended} of ${counted(flags.seeds, 'seed')} ended, ${failed} failed.`), showEveryMs)
await Promise.all(Array.from({ length: jobs }, runNext))
clearInterval(showing)
await threads?.destroy()
if (flags.seeds > 1) console.log(`${flags.seeds - failed} of ${counted(flags.seeds, 'seed')} passed.`)
process.exitCode = failed === 0 ? 0 : 1
