#!/usr/bin/env node
/** `npm run simulate`: runs simulated clusters, shows how far it is, and on a failure the smallest plan and how to replay it. */
import { Command, InvalidArgumentError } from 'commander'
import { type FaultPlan, parseFaultKinds, parsePlan, renderPlan } from '../simulation/faultPlan.js'
import { shrinkPlan } from '../simulation/shrinkPlan.js'
import { type Progress, planOf, type SimulateOptions, type SimulationReport, simulate } from '../simulation/simulate.js'

const shrinkRunsMax = 200
const progressEveryMs = 1_000

const number = (min: number, max: number, isWhole: boolean) => (text: string) => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= min && value <= max) || (isWhole && !Number.isInteger(value)))
    throw new InvalidArgumentError(`Allowed is a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}.`)
  return value
}
const result =
  <T>(parse: (text: string) => { ok: true; value: T } | { ok: false; error: Error }) =>
  (text: string): T => {
    const parsed = parse(text)
    if (!parsed.ok) throw new InvalidArgumentError(parsed.error.message)
    return parsed.value
  }

const command = new Command('simulate')
  .description('Runs a whole cluster in virtual time, with faults, and checks its rules.')
  .option('--nodes <count>', 'the master and its workers', number(2, 200, true), 10)
  .option('--seed <number>', 'decides everything that is left to chance', number(0, 2 ** 32 - 1, true), 42)
  .option('--seeds <count>', 'this many runs, with the seeds from --seed on', number(1, 100_000, true), 1)
  .option('--virtual-hours <hours>', 'how long faults go on', number(0.001, 10_000, false), 24)
  .option(
    '--faults <kinds>',
    'all, none, or classes or kinds of fault with commas between',
    result(parseFaultKinds),
    result(parseFaultKinds)('all'),
  )
  .option('--faults-per-hour <count>', 'on average', number(0, 10_000, false), 30)
  .option('--plan <json>', 'the faults themselves, as a failure prints them', result(parsePlan))
  .option('--trace <lines>', 'on a failure, show this many of the last events', number(0, 100_000, true), 20)
  .option('--json', 'print the reports as JSON lines')
  .addHelpText('after', '\nExample:\n  npm run simulate -- --nodes 10 --seed 42 --virtual-hours 24 --faults all\n')
  .parse()

interface Flags {
  nodes: number
  seed: number
  seeds: number
  virtualHours: number
  faults: NonNullable<SimulateOptions['kinds']>
  faultsPerHour: number
  plan?: FaultPlan
  trace: number
  json?: true
}
const flags = command.opts<Flags>()

/** One line that is written over on a terminal, and a line a second elsewhere. */
const progressLine = (seed: number): ((progress: Progress) => void) => {
  let lastMs = performance.now()
  const virtualMs = flags.virtualHours * 3_600_000
  return (progress) => {
    const nowMs = performance.now()
    if (nowMs - lastMs < progressEveryMs) return
    lastMs = nowMs
    const percent = Math.min(100, (100 * progress.virtualMs) / virtualMs).toFixed(0)
    const text = `seed ${seed}: ${percent} % of ${flags.virtualHours} h, ${progress.events} events, ${progress.faults} faults, ${progress.syncs} syncs, ${progress.reports} reports of agents`
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
  }
}

const optionsOf = (seed: number, plan?: FaultPlan): SimulateOptions => ({
  seed,
  nodes: flags.nodes,
  virtualMs: Math.round(flags.virtualHours * 3_600_000),
  kinds: flags.faults,
  faultsPerHour: flags.faultsPerHour,
  ...(plan && { plan }),
  linesKept: flags.trace,
})

const replay = (seed: number, plan: FaultPlan): string =>
  `npm run simulate -- --nodes ${flags.nodes} --seed ${seed} --virtual-hours ${flags.virtualHours} --plan '${renderPlan(plan)}'`

const summary = (report: SimulationReport, seconds: number): string =>
  `seed ${report.seed}: ${report.violations.length === 0 ? 'passed' : 'FAILED'} in ${seconds.toFixed(1)} s: ${report.nodes} nodes, ` +
  `${(report.virtualMs / 3_600_000).toFixed(2)} virtual hours, ${report.events} events, ${report.syncs} syncs, ${report.faults} faults, ` +
  `${report.agents} agents, ${report.reports} reports, ` +
  `${report.checks} checks of invariants, trace ${report.traceHash.slice(0, 16)}`

const run = async (seed: number): Promise<boolean> => {
  const startMs = performance.now()
  const options = { ...optionsOf(seed, flags.plan), onProgress: progressLine(seed) }
  const report = await simulate(options)
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  const seconds = (performance.now() - startMs) / 1000
  if (flags.json) console.log(JSON.stringify({ ...report, lastLines: undefined, seconds }))
  else console.log(summary(report, seconds))
  if (report.violations.length === 0) return true
  for (const { atMs, rule, says } of report.violations.slice(0, 5)) console.log(`  at ${(atMs / 1000).toFixed(3)} s: ${rule}: ${says}`)
  for (const line of report.lastLines) console.log(`    ${line}`)
  const rule = report.violations[0]?.rule
  process.stderr.write(`Looking for the smallest plan that breaks the same rule (at most ${shrinkRunsMax} runs) …\n`)
  const breaksSameRule = async (plan: FaultPlan): Promise<boolean> => (await simulate(optionsOf(seed, plan))).violations[0]?.rule === rule
  const smallest = await shrinkPlan(planOf(options), breaksSameRule, shrinkRunsMax)
  console.log(`The smallest plan found has ${smallest.length} faults. Replay it with:\n  ${replay(seed, smallest)}`)
  return false
}

let failed = 0
for (let index = 0; index < flags.seeds; index++) if (!(await run(flags.seed + index))) failed += 1
if (flags.seeds > 1) console.log(`${flags.seeds - failed} of ${flags.seeds} seeds passed.`)
process.exitCode = failed === 0 ? 0 : 1
