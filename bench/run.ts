/** `npm run bench`: measures each row and prints them in one table, or with `--growth` curves. A missed target is marked, not a failure. */
import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { toolOptions } from '../src/programs/kit/toolOptions.js'
import { curveNames } from './growth/curves.js'
import { measureGrowth } from './growth/measureGrowth.js'
import { NotMeasurable, type Row } from './row.js'
import { agentGroupsFull } from './rows/agentGroupsFull.js'
import { agentInfoFirstReport } from './rows/agentInfoFirstReport.js'
import { agentInfoKeepAlives } from './rows/agentInfoKeepAlives.js'
import { agentInfoWholeRows } from './rows/agentInfoWholeRows.js'
import { agentsInABurst } from './rows/agentsInABurst.js'
import { agentsMoveOn } from './rows/agentsMoveOn.js'
import { checkWithoutChange } from './rows/checkWithoutChange.js'
import { coldSync } from './rows/coldSync.js'
import { coldSyncBigFile } from './rows/coldSyncBigFile.js'
import { coldSyncFourWorkers } from './rows/coldSyncFourWorkers.js'
import { coldSyncManyFiles } from './rows/coldSyncManyFiles.js'
import { coldSyncMillionFiles } from './rows/coldSyncMillionFiles.js'
import { connectedAgents } from './rows/connectedAgents.js'
import { editArrives } from './rows/editArrives.js'
import { editProcessorTime } from './rows/editProcessorTime.js'
import { editToManyWorkers } from './rows/editToManyWorkers.js'
import { editUnderEvents } from './rows/editUnderEvents.js'
import { editUndone } from './rows/editUndone.js'
import { enrolment } from './rows/enrolment.js'
import { enrolmentProcessorTime } from './rows/enrolmentProcessorTime.js'
import { enrolmentRate } from './rows/enrolmentRate.js'
import { eventsOverTcp } from './rows/eventsOverTcp.js'
import { eventsOverUdp } from './rows/eventsOverUdp.js'
import { groupChange } from './rows/groupChange.js'
import { idleWorkers } from './rows/idleWorkers.js'
import { keepAlivesOfMany } from './rows/keepAlivesOfMany.js'
import { masterRestart } from './rows/masterRestart.js'
import { masterRestartManyWorkers } from './rows/masterRestartManyWorkers.js'
import { mergeRule } from './rows/mergeRule.js'
import { nodesOverLocalSocket } from './rows/nodesOverLocalSocket.js'
import { openEvents } from './rows/openEvents.js'
import { periodicScan } from './rows/periodicScan.js'
import { requestsInFlight } from './rows/requestsInFlight.js'
import { requestsOfTenWorkers } from './rows/requestsOfTenWorkers.js'
import { requestsSequential } from './rows/requestsSequential.js'
import { scanShare } from './rows/scanShare.js'
import { simulation } from './rows/simulation.js'
import { startUp } from './rows/startUp.js'
import { statesBetweenManagers } from './rows/statesBetweenManagers.js'
import { streamThroughput } from './rows/streamThroughput.js'
import { systemMs } from './systemClock.js'
import { jsonOf, type Result, remarksOf, tableOf } from './table.js'
import { type BenchOptions, benchCommand } from './toolCommands.js'
import { Workshop } from './workshop.js'

const rows: readonly Row[] = [
  requestsSequential,
  requestsInFlight,
  requestsOfTenWorkers,
  nodesOverLocalSocket,
  streamThroughput,
  coldSync,
  coldSyncFourWorkers,
  coldSyncBigFile,
  coldSyncManyFiles,
  coldSyncMillionFiles,
  checkWithoutChange,
  editArrives,
  editProcessorTime,
  editToManyWorkers,
  editUndone,
  periodicScan,
  scanShare,
  masterRestart,
  masterRestartManyWorkers,
  idleWorkers,
  startUp,
  simulation,
  agentInfoWholeRows,
  agentInfoFirstReport,
  agentInfoKeepAlives,
  agentGroupsFull,
  groupChange,
  enrolment,
  enrolmentProcessorTime,
  enrolmentRate,
  mergeRule,
  keepAlivesOfMany,
  eventsOverTcp,
  eventsOverUdp,
  editUnderEvents,
  openEvents,
  connectedAgents,
  agentsInABurst,
  agentsMoveOn,
  statesBetweenManagers,
]

const measure = async (row: Row, workshop: Workshop): Promise<Result> => {
  const startMs = systemMs()
  const seconds = (): number => (systemMs() - startMs) / 1000
  try {
    const figures = await row.run(workshop)
    return { row, figures, seconds: seconds() }
  } catch (thrown) {
    const crashed = !(thrown instanceof NotMeasurable)
    if (crashed) process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`)
    const sentence = thrown instanceof Error ? (thrown.message.split('\n', 1)[0] ?? '') : String(thrown)
    return { row, figures: [], missing: { sentence, crashed }, seconds: seconds() }
  } finally {
    await workshop.tidy()
  }
}

const { all, growth, json, only, scale = 1, upto } = toolOptions<BenchOptions>(benchCommand())
const chosen = rows.filter((row) => only?.test(row.name) ?? (all || !row.isSlow))
if (chosen.length === 0) {
  process.stderr.write(`No row matches --only ${only?.source}; there are: ${rows.map(({ name }) => name).join('; ')}.\n`)
  process.exit(1)
}

const workshop = new Workshop(scale)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    process.stderr.write(`${signal}: stopping the children and removing the temporary files.\n`)
    void workshop.close().finally(() => process.exit(130))
  })

if (growth) {
  const names = growth === true ? curveNames : [growth]
  const say = (line: string): void => void process.stderr.write(`${line}\n`)
  try {
    process.stdout.write(`${await measureGrowth(workshop, { names, upTo: upto ?? Number.POSITIVE_INFINITY, say })}\n`)
  } finally {
    await workshop.close()
  }
  process.exit(0)
}

const results: Result[] = []
const startMs = systemMs()
try {
  for (const row of chosen) {
    process.stderr.write(`[${results.length + 1}/${chosen.length}] ${row.name} … `)
    const result = await measure(row, workshop)
    process.stderr.write(`${result.seconds.toFixed(1)} s\n`)
    results.push(result)
  }
} finally {
  await workshop.close()
}

const place = workshop.isInMemory
  ? 'files in memory (/dev/shm)'
  : 'files on a disk, because there is no /dev/shm: rows with files are slower for it'
const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}, ${place}`
process.stdout.write(
  `\n${tableOf(results)}\n\n${remarksOf(results)}\n\n${machine}; ${((systemMs() - startMs) / 1000).toFixed(0)} s in all${scale === 1 ? '' : `, with ${scale} of the sizes of the rows marked (slow) and of the simulation`}.\n`,
)
if (json !== undefined) writeFileSync(json, jsonOf(results, { machine, measuredAt: new Date().toISOString() }))
process.exitCode = results.some(({ missing }) => missing?.crashed) ? 1 : 0
