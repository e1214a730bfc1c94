/** muster: puts Muster in the place of a manager's wazuh-clusterd, says whether it is there, and puts Wazuh's own program back. */
import { dirname, join } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import { safeJson, visibleLine } from '../../base/escapeText.js'
import { type Conversation, type ProgramOptions, runProgram } from '../kit/controlProgram.js'
import { daemonsOf } from '../kit/daemonProcesses.js'
import { tableText } from '../kit/table.js'
import { carryOutSteps, stepText } from './carryOutSteps.js'
import { type Check, checkManager } from './checkManager.js'
import { diversionCommand } from './diversion.js'
import { findInstallation } from './findInstallation.js'
import { type Installation, type InstallStep, installState, installSteps, uninstallSteps } from './installation.js'
import type { ManagerMachine } from './managerMachine.js'
import { type MusterArguments, parseMusterArguments } from './musterArguments.js'
import { daemonOf, wrapperText } from './wrapper.js'

/** The Muster that this program is of. */
export interface OwnFiles {
  /** Absolute. */
  readonly daemon: string
  readonly node: string
}

export interface MusterPlace {
  readonly machine: ManagerMachine
  readonly own: OwnFiles
}

interface Plan {
  readonly checks: readonly Check[]
  readonly steps: readonly InstallStep[]
  readonly found: Installation
  /** Said when there is nothing to do, and when it is done. */
  readonly done: readonly string[]
}

const refused = (message: string): ClusterError => new ClusterError('argumentsInvalid', { message })

const checksText = (checks: readonly Check[]): string =>
  tableText(
    ['check', 'state', 'detail'],
    checks.map(({ check, detail, state }) => [check, state, visibleLine(detail)]),
  ).replaceAll(/ +$/gm, '')

const stepsText = ({ found, steps }: Plan): string =>
  steps.map((step, at) => `${at + 1}. ${visibleLine(stepText(step, found.paths))}\n`).join('')

const control = (home: string, word: string): string => `${join(home, 'bin/wazuh-control')} ${word}`

const installPlan = (given: MusterArguments, { machine, own }: MusterPlace): Plan => {
  const { home, stayRoot } = given
  const checks = checkManager(machine, { home, ...own, stayRoot, uid: process.geteuid?.() ?? -1 })
  const found = findInstallation(machine, home)
  const { kept, program } = found.paths
  const undivert = found.isPackaged || found.isDiverted ? ` && ${diversionCommand(program, kept, '--remove')}` : ''
  const wayBack = `mv ${kept} ${program}${undivert}`
  const wrapper = wrapperText({ home, daemon: own.daemon, nodeDirectory: dirname(own.node), wayBack, stayRoot })
  const isPossible = checks.every(({ state }) => state !== 'refused')
  const steps = isPossible ? installSteps(found, { wrapper, daemon: own.daemon }) : { ok: true as const, value: [] }
  if (!steps.ok) throw steps.error
  const runs = daemonsOf(home).some(({ kind }) => kind === 'muster')
  const done = [`Muster is installed in ${home}: ${runs ? control(home, 'restart') : control(home, 'start')} starts it.`]
  return { checks, found, steps: steps.value, done }
}

const uninstallPlan = ({ home }: MusterArguments, { machine }: MusterPlace): Plan => {
  const found = findInstallation(machine, home)
  const steps = uninstallSteps(found)
  if (!steps.ok) throw steps.error
  const { kept, program, record } = found
  const isChanged = kept && record && kept.sha256 !== record.sha256 && !found.isDiverted
  const detail = `${found.paths.kept} is not as it was kept; it is put back as it is`
  const done = [
    `Muster is not installed in ${home}.`,
    ...(program || kept ? [`${control(home, 'restart')} starts Wazuh's own wazuh-clusterd.`] : []),
    ...(machine.fs.statSync(join(home, 'queue/muster'), { throwIfNoEntry: false })
      ? [`Left there: ${join(home, 'queue/muster')} and etc/cluster.json, which only Muster reads; remove them when you need them no more.`]
      : []),
  ]
  return { checks: isChanged ? [{ check: 'home', state: 'warning', detail }] : [], found, steps: steps.value, done }
}

const outcomeJson = ({ checks, found, steps }: Plan, isDone: boolean, error: number, message: string): string =>
  `${safeJson({
    error,
    message,
    home: found.paths.home,
    checks,
    steps: steps.map((step) => ({ step: step.kind, detail: stepText(step, found.paths) })),
    done: isDone,
  })}\n`

/** Asked only where somebody can answer. */
const isAgreed = async (given: MusterArguments, { stdin }: ProgramOptions, { confirm }: Conversation): Promise<boolean> => {
  if (given.isAgreed) return true
  if (given.json || !('isTTY' in stdin && stdin.isTTY))
    throw refused('There is nobody to ask: --yes does it, --dry-run only says what would be done')
  return confirm('Do this?')
}

interface Around extends MusterPlace {
  readonly world: ProgramOptions
  readonly talk: Conversation
}

const change = async (given: MusterArguments, plan: Plan, { machine, talk, world }: Around): Promise<number> => {
  const { found, steps } = plan
  const wrong = plan.checks.filter(({ state }) => state === 'refused')
  if (!given.json) await talk.print([plan.checks.length > 0 ? `${checksText(plan.checks)}\n` : '', stepsText(plan)])
  if (wrong.length > 0) {
    const error = refused(`Nothing was changed: ${wrong.map(({ detail }) => detail).join('; ')}`)
    if (!given.json) throw error
    await talk.print([outcomeJson(plan, false, error.number, error.message)])
    return 1
  }
  const isNeeded = steps.length > 0 && !given.isDryRun
  if (isNeeded && !(await isAgreed(given, world, talk))) {
    await talk.print(['Nothing was changed.\n'])
    return 1
  }
  if (isNeeded) carryOutSteps(machine, steps, found.paths)
  const says = given.isDryRun && steps.length > 0 ? ['Nothing was changed (--dry-run).'] : plan.done
  await talk.print(given.json ? [outcomeJson(plan, isNeeded || steps.length === 0, 0, says.join(' '))] : says.map((line) => `${line}\n`))
  return 0
}

interface Status {
  readonly state: ReturnType<typeof installState>
  readonly runs: 'muster' | 'wazuh' | 'nothing'
  readonly says: readonly string[]
}

const statusOf = (found: Installation, { machine, own }: MusterPlace): Status => {
  const { home, program } = found.paths
  const state = installState(found)
  const again = `muster install-into-manager --home ${home}`
  const daemon = found.program?.text === undefined ? undefined : daemonOf(found.program.text)
  const running = daemonsOf(home)
  const isWazuhs = running.some(({ kind }) => kind === 'wazuh')
  const says = [
    ...(state === 'replaced'
      ? [
          `${program} is Wazuh's own again, most likely by an upgrade of its package: the next restart of the manager starts it. ${again} puts Muster back.`,
        ]
      : []),
    ...(state === 'unfinished' ? [`The installation is not finished: ${again} finishes it, muster uninstall undoes it.`] : []),
    ...(daemon !== undefined && !machine.fs.existsSync(daemon)
      ? [`${program} starts ${daemon}, which is not there: ${again} makes it start ${own.daemon}.`]
      : []),
    ...(state !== 'not installed' && isWazuhs
      ? [
          `Wazuh's own wazuh-clusterd runs (PID ${running.find(({ kind }) => kind === 'wazuh')?.pid}): ${control(home, 'restart')} starts what is installed.`,
        ]
      : []),
  ]
  return { state, runs: isWazuhs ? 'wazuh' : running.length > 0 ? 'muster' : 'nothing', says }
}

const showStatus = async ({ home, json }: MusterArguments, place: MusterPlace, { print }: Conversation): Promise<number> => {
  const found = findInstallation(place.machine, home)
  const { runs, says, state } = statusOf(found, place)
  const isWell = state === 'installed' && says.length === 0
  const way = found.record?.way ?? ''
  await print([
    json
      ? `${safeJson({ error: isWell ? 0 : 1, message: says.join(' '), home, state, way, runs })}\n`
      : tableText(['home', 'state', 'way', 'runs'], [[home, state, way || '-', runs]]) +
        says.map((line) => `${visibleLine(line)}\n`).join(''),
  ])
  return isWell ? 0 : 1
}

/** Runs one command line (without the program's name); resolves with the exit code and never rejects. */
export const runMuster = (argv: readonly string[], world: ProgramOptions, place: MusterPlace): Promise<number> =>
  runProgram<MusterArguments>(
    {
      parse: parseMusterArguments,
      carryOut: (given, talk) => {
        switch (given.action) {
          case 'status':
            return showStatus(given, place, talk)
          case 'uninstall':
            return change(given, uninstallPlan(given, place), { ...place, talk, world })
          case 'install-into-manager':
            return change(given, installPlan(given, place), { ...place, talk, world })
        }
      },
    },
    argv,
    world,
  )
