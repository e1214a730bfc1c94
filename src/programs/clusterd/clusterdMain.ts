/** The operator's side of the daemon: tests the configuration, prints mistakes, goes to the background or stays, and runs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { asClusterError } from '../../base/errors.js'
import { visibleLine } from '../../base/escapeText.js'
import { loadDebugLevel } from '../../config/loadDebugLevel.js'
import { type LoadedSettings, loadSettings } from '../../config/loadSettings.js'
import type { NodeSettings } from '../../config/settings.js'
import { findManager } from '../../platform/machine/findManager.js'
import { isDirectory } from '../../platform/machine/isDirectory.js'
import { createLog } from '../../platform/machine/logFile.js'
import { ownerBesideManager } from '../../platform/machine/userNamed.js'
import type { Log, LogLevel } from '../../ports/machine.js'
import { productVersion } from '../../version.js'
import { type ClusterdArguments, childArguments, parseClusterdArguments } from './clusterdArguments.js'
import { daemonize, isBackgroundChild, reportToParent } from './daemonize.js'
import { logPath, prepareDirectories } from './homeDirectories.js'
import { checkAgentTable, checkLog } from './homeFiles.js'
import { watchHome } from './homeWatch.js'
import { type HeldHome, holdHome } from './pidFile.js'
import { becomeUser, pickUser } from './runAsUser.js'
import { runUntilStopped, type StartDaemon } from './runUntilStopped.js'
import { checkWorkDirectories, dutiesOf, hasManager, sharedWithOthers } from './workDirectories.js'

/** What the program has around it. */
export interface Shell {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  /** The file to start again in the background. */
  readonly script: string
  readonly startDaemon: StartDaemon
}

/** One line on stderr, whatever the message holds. */
const printMistake = (shell: Shell, message: string): void => void shell.stderr.write(`wazuh-clusterd: ${visibleLine(message)}\n`)

/** Runs the command to its end; resolves with the exit code. */
export const main = async (argv: readonly string[], env: NodeJS.ProcessEnv, shell: Shell): Promise<number> => {
  const out = (text: string): void => void shell.stdout.write(text)
  const err = (sentence: string): void => printMistake(shell, sentence)
  const asked = parseClusterdArguments(argv, env, { out, err })
  if (typeof asked === 'number') return asked
  try {
    return await carryOut(asked, env, shell)
  } catch (error) {
    const says = [asClusterError(error).message]
    for (const line of says) printMistake(shell, line)
    if (isBackgroundChild(env)) await reportToParent({ ok: false, says })
    return 1
  }
}

/** With the level of the log. */
type SettledArguments = ClusterdArguments & { readonly level: LogLevel }

/** The settings, and how much is logged; mistakes in either of them. */
const load = (given: ClusterdArguments): { readonly asked: SettledArguments; readonly loaded: LoadedSettings } => {
  const settings = loadSettings({ ...given, hasManager: (home) => findManager(home) !== undefined })
  const mistakes: string[] = []
  const warnings = [...settings.warnings]
  const level = loadDebugLevel(given.home, { mistakes, warnings })
  const asked = { ...given, level: given.level ?? level ?? 'info' }
  if (mistakes.length === 0 || (settings.ok && settings.settings.disabled)) return { asked, loaded: { ...settings, warnings } }
  return {
    asked,
    loaded: { ok: false, mistakes: [...(settings.ok ? [] : settings.mistakes), ...mistakes], warnings, notes: settings.notes },
  }
}

const carryOut = async (given: ClusterdArguments, env: NodeJS.ProcessEnv, shell: Shell): Promise<number> => {
  const err = (line: string): void => void printMistake(shell, line)
  const file = given.file ?? join(given.home, 'etc/ossec.conf')
  if (!isDirectory(given.home)) {
    err(`The home ${given.home} is not a directory: name the manager's home with --home DIR or WAZUH_PATH`)
    return 1
  }
  // A manager's wazuh-control has an output of its own, which may be JSON: beside it success is silent, as Wazuh's own program is.
  const isSilent = findManager(given.home) !== undefined
  const out = (line: string): void => void (isSilent || shell.stdout.write(`${line}\n`))
  const { asked, loaded } = load(given)
  const child = isBackgroundChild(env)
  for (const line of loaded.warnings) err(`WARNING: ${line}`)
  if (!loaded.ok) {
    for (const line of loaded.mistakes) err(line)
    if (!asked.test) await writeToLog(asked, err, (log) => loaded.mistakes.map((line) => log.error(line)))
    if (child) await reportToParent({ ok: false, says: loaded.mistakes })
    return 1
  }
  if (loaded.settings.disabled) {
    const line = `${file}: the cluster is disabled, nothing is started`
    out(line)
    if (asked.test) for (const note of loaded.notes) out(note)
    else await writeToLog(asked, err, (log) => log.info(line))
    if (child) await reportToParent({ ok: true, says: [line] })
    return 0
  }
  if (asked.test) {
    for (const note of loaded.notes) out(note)
    out(`${file}: the cluster configuration is valid`)
    return 0
  }
  if (asked.foreground || child) return await run(asked, loaded, loaded.settings, shell, child)
  findUser(asked)
  const outcome = await daemonize(shell.script, childArguments(asked), env)
  for (const line of outcome.says) (outcome.ok ? out : err)(line)
  return outcome.ok ? 0 : 1
}

const findUser = (asked: ClusterdArguments) => {
  const picked = pickUser({ uid: process.getuid?.() ?? -1, stayRoot: asked.stayRoot, passwd: readFileSync('/etc/passwd', 'utf8') })
  if (!picked.ok) throw picked.error
  return picked.value
}

/** Makes the directories and gives up root, in this order: afterwards every file is made by the right user. */
const settleIn = (asked: ClusterdArguments, settings?: NodeSettings): void => {
  const user = findUser(asked)
  const owner = user ?? (settings && hasManager(settings) ? ownerBesideManager() : undefined)
  prepareDirectories(asked.home, owner, dutiesOf(settings))
  if (user) becomeUser(user)
  checkWorkDirectories(asked.home, settings)
  checkLog(asked.home)
}

/** For a process that says something and ends; what it says is on stderr already, so a log that fails only adds a line. */
const writeToLog = async (asked: SettledArguments, err: (line: string) => void, write: (log: Log) => void): Promise<void> => {
  try {
    settleIn(asked)
  } catch (error) {
    err(asClusterError(error).message)
    return
  }
  const log = createLog({ file: join(asked.home, logPath), level: asked.level })
  write(log)
  await log.close()
}

const backgroundStart = (home: string): string =>
  `wazuh-clusterd runs in the background (PID ${process.pid}). Its log is ${join(home, logPath)}.`

const run = async (
  asked: SettledArguments,
  loaded: LoadedSettings,
  settings: NodeSettings,
  shell: Shell,
  child: boolean,
): Promise<number> => {
  settleIn(asked, settings)
  const shared = process.getuid?.() === 0 ? sharedWithOthers(asked.home, settings) : undefined
  if (shared !== undefined) printMistake(shell, `WARNING: ${shared}`)
  const log = createLog({ file: join(asked.home, logPath), level: asked.level, ...(child ? {} : { alsoTo: shell.stdout }) })
  const held: HeldHome[] = []
  const release = (): void => {
    for (const home of held) home.release()
  }
  process.on('exit', release)
  let mistake: string | undefined
  let stopWatching = (): void => undefined
  try {
    const outcome = await runUntilStopped({
      // The home is taken here, when signals are already handled: a stop that comes early leaves no PID file behind.
      start: async () => {
        const home = holdHome(asked.home)
        held.push(home)
        checkAgentTable(asked.home)
        log.info(
          `Starting version ${productVersion} as the ${settings.nodeType} '${settings.nodeName}' of the cluster '${settings.name}' (PID ${process.pid}).`,
        )
        for (const line of loaded.warnings) log.warning(line)
        if (shared !== undefined) log.warning(shared)
        for (const line of loaded.notes) log.info(line)
        const daemon = await shell.startDaemon(settings, { log, foreground: !child })
        stopWatching = watchHome(asked.home, home, log)
        return daemon
      },
      log,
      drainMsMax: settings.timings.drainMsMax,
      onReady: () => (child ? reportToParent({ ok: true, says: [backgroundStart(asked.home)] }) : Promise.resolve()),
    })
    if (!outcome.ok) {
      mistake = outcome.error.sentence
      log.error(mistake)
    }
  } finally {
    stopWatching()
    // A caller that waits for the PID file to go, or for the command to end, finds the log complete.
    await log.close()
    release()
    process.off('exit', release)
  }
  if (mistake === undefined) return 0
  printMistake(shell, mistake)
  if (child) await reportToParent({ ok: false, says: [mistake] })
  return 1
}
