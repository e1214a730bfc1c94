/** wazuh-certs-tool: makes, shows and renews certificates. What makes something logs as Wazuh's tool does, errors too; what shows something prints. */

import { dirname, join } from 'node:path'
import { asClusterError, ClusterError } from '../../base/errors.js'
import { escapeText, safeJson } from '../../base/escapeText.js'
import { fullStop } from '../../base/fullStop.js'
import type { ProgramOptions } from '../kit/controlProgram.js'
import { ReaderGone, writeText } from '../kit/writeText.js'
import { addNodes } from './addNodes.js'
import { bundleNode } from './bundleNode.js'
import { parseCertsArguments } from './certsArguments.js'
import { logName } from './certsHelp.js'
import { CertsLog } from './certsLog.js'
import { type CertsRun, pathsFrom } from './certsRun.js'
import type { BundleTask, CertsTask, PrintedInstead, ShowTask } from './certsTask.js'
import { SaidFailure } from './configuredNodes.js'
import { makeCertificates } from './makeCertificates.js'
import { renewCertificates } from './renewCertificates.js'
import { requestCertificate, signRequest } from './requestAndSign.js'
import { showCertificates } from './showCertificates.js'

export interface CertsWorld extends ProgramOptions {
  /** The directory that paths begin in. */
  readonly directory: string
  readonly now: () => number
}

/** Runs one command line (without the program's name); resolves with the exit code and never rejects. */
export const runCertsTool = async (argv: readonly string[], world: CertsWorld): Promise<number> => {
  try {
    const parsed = parseCertsArguments(argv)
    if ('task' in parsed) return await carriedOut(parsed.task, world)
    if ('mistake' in parsed)
      return await complain(new ClusterError('argumentsInvalid', { message: `Wrong arguments: ${parsed.mistake}` }), { ...parsed, world })
    return await printInstead(parsed, world)
  } catch (thrown) {
    // The reader of our output has seen enough (`| head`).
    if (thrown instanceof ReaderGone) return 0
    throw thrown
  }
}

const printInstead = async ({ code, errors, text }: PrintedInstead, { now, stdout }: CertsWorld): Promise<number> => {
  const log = new CertsLog({ stdout, now, isVerbose: false })
  for (const error of errors) await log.write('ERROR', error)
  await writeText(stdout, [text])
  return code
}

const carriedOut = (task: CertsTask, world: CertsWorld): Promise<number> => (isPrinted(task) ? printed(task, world) : logged(task, world))

type PrintedTask = ShowTask | BundleTask
type LoggedTask = Exclude<CertsTask, PrintedTask>

const isPrinted = (task: CertsTask): task is PrintedTask => task.kind === 'list' || task.kind === 'check' || task.kind === 'bundle'

const runOf = (world: CertsWorld, log: CertsLog): CertsRun => ({
  // Certificates have whole seconds.
  nowMs: Math.floor(world.now() / 1_000) * 1_000,
  // A program that asks nothing leaves its input alone.
  get stdin() {
    return world.stdin
  },
  stdout: world.stdout,
  log,
  path: pathsFrom(world.directory),
})

const printed = async (task: PrintedTask, world: CertsWorld): Promise<number> => {
  const run = runOf(world, new CertsLog({ stdout: world.stdout, now: world.now, isVerbose: false }))
  try {
    if (task.kind === 'bundle') {
      await writeText(world.stdout, [bundleNode(task, run)])
      return 0
    }
    const { code, text } = showCertificates(task, run)
    await writeText(world.stdout, [text])
    return code
  } catch (thrown) {
    if (thrown instanceof ReaderGone) throw thrown
    return complain(asClusterError(thrown), { code: task.kind === 'check' ? 2 : 1, isJson: 'isJson' in task && task.isJson, world })
  }
}

interface Complaint {
  readonly code: number
  readonly isJson: boolean
  readonly world: CertsWorld
}

const complain = async (error: ClusterError, { code, isJson, world }: Complaint): Promise<number> => {
  const sentence = fullStop(error.message)
  if (isJson) await writeText(world.stdout, [`${safeJson({ error: error.number, message: sentence })}\n`])
  else await writeText(world.stderr, [`ERROR: ${escapeText(sentence)}\n`])
  return code
}

const logged = async (task: LoggedTask, world: CertsWorld): Promise<number> => {
  const log = new CertsLog({ stdout: world.stdout, now: world.now, isVerbose: 'isVerbose' in task && task.isVerbose })
  const run = runOf(world, log)
  try {
    if (task.kind !== 'request') await log.openFile(join(dirname(run.path(task.directory)), logName))
    await made(task, run)
    return 0
  } catch (thrown) {
    if (!(thrown instanceof SaidFailure)) await log.write('ERROR', asClusterError(thrown).message)
    return 1
  } finally {
    log.close()
  }
}

const made = async (task: LoggedTask, run: CertsRun): Promise<void> => {
  switch (task.kind) {
    case 'make':
      return makeCertificates(task, run)
    case 'add':
      return addNodes(task, run)
    case 'renew':
      return renewCertificates(task, run)
    case 'request':
      return requestCertificate(task, run)
    case 'sign':
      return signRequest(task, run)
    default:
      return task
  }
}
