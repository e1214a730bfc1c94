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
import { shellWord } from './shellWord.js'
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
  readonly home: string
  readonly checks: readonly Check[]
  readonly steps: readonly InstallStep[]
  /** Undefined: a check was refused before. */
  readonly found: Installation | undefined
  /** Said when there is nothing to do, and when it is done. */
  readonly done: readonly string[]
}

const refused = (message: string): ClusterError => new ClusterError('argumentsInvalid', { message })

const checksText = (checks: readonly Check[]): string =>
  tableText(
    ['check', 'state', 'detail'],
    checks.map(({ check, detail, state }) => [check, state, visibleLine(detail)]),
  ).replaceAll(/ +$/gm, '')

const stepTexts = ({ found, steps }: Plan): readonly string[] => (found ? steps.map((step) => stepText(step, found.paths)) : [])

const stepsText = (plan: Plan): string =>
  stepTexts(plan)
    .map((text, at) => `${at + 1}. ${visibleLine(text)}\n`)
    .join('')

const control = (home: string, word: string): string => `${join(home, 'bin/wazuh-control')} ${word}`

const installPlan = ({ home, stayRoot }: MusterArguments, { machine, own }: MusterPlace): Plan => {
  const checks = checkManager(machine, { home, ...own, stayRoot, uid: process.geteuid?.() ?? -1 })
  if (checks.some(({ state }) => state === 'refused')) return { home, checks, steps: [], found: undefined, done: [] }
  const found = findInstallation(machine, home)
  const { kept, program } = found.paths
  const undivert = found.isPackaged || found.isDiverted ? ` && ${diversionCommand(program, kept, '--remove')}` : ''
  const wayBack = `mv ${shellWord(kept)} ${shellWord(program)}${undivert}`
  const wrapper = wrapperText({ home, daemon: own.daemon, nodeDirectory: dirname(own.node), wayBack, stayRoot })
  const steps = installSteps(found, { wrapper, daemon: own.daemon })
  if (!steps.ok) throw steps.error
  const word = daemonsOf(home).length > 0 ? 'restart' : 'start'
  return { home, checks, found, steps: steps.value, done: [`Muster is installed in ${home}: ${control(home, word)} starts it.`] }
}

/** Of the packages of Muster; Wazuh's own daemon rotates its log itself. */
const rotationPath = '/etc/logrotate.d/wazuh-clusterd'

const leftovers = ({ fs }: ManagerMachine, home: string): readonly string[] => {
  const own = ['queue/muster', 'etc/cluster.json'].map((path) => join(home, path)).filter((path) => fs.existsSync(path))
  const isRotated = fs.existsSync(rotationPath) && fs.readFileSync(rotationPath, 'utf8').includes(join(home, 'logs/cluster.log'))
  return [
    ...(own.length > 0 ? [`Only Muster reads ${own.join(' and ')}: remove what you do not need any more.`] : []),
    ...(isRotated ? [`Remove ${rotationPath}: Wazuh's own wazuh-clusterd rotates its log itself.`] : []),
  ]
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
    ...leftovers(machine, home),
  ]
  return { home, checks: isChanged ? [{ check: 'home', state: 'warning', detail }] : [], found, steps: steps.value, done }
}

const outcomeJson = (plan: Plan, isDone: boolean, error: number, message: string): string => {
  const { checks, home, steps } = plan
  const texts = stepTexts(plan)
  return `${safeJson({
    error,
    message,
    home,
    checks,
    steps: steps.map(({ kind }, at) => ({ step: kind, detail: texts[at] })),
    done: isDone,
  })}\n`
}

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
  const isNeeded = found !== undefined && steps.length > 0 && !given.isDryRun
  if (isNeeded && !(await isAgreed(given, world, talk))) {
    await talk.print(['Nothing was changed.\n'])
    return 1
  }
  if (isNeeded) carryOutSteps(machine, steps, found)
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
  const wazuhs = running.find(({ kind }) => kind === 'wazuh')
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
    ...(state !== 'not installed' && wazuhs
      ? [`Wazuh's own wazuh-clusterd runs (PID ${wazuhs.pid}): ${control(home, 'restart')} starts what is installed.`]
      : []),
  ]
  return { state, runs: wazuhs ? 'wazuh' : running.length > 0 ? 'muster' : 'nothing', says }
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
