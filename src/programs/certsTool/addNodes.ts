/** Certificates for nodes that have none yet, in an existing directory. */
import { ClusterError } from '../../base/errors.js'
import type { AltName } from '../../domain/certificates/altName.js'
import { certificateFile, keyFile } from '../../domain/certificates/nodeName.js'
import { CertificateMaker } from '../../platform/certificates/certificateMaker.js'
import { addToDirectory, assertWritable, fileNamesIn, type NamedFile } from '../../platform/certificates/pemFiles.js'
import { authorityIn, loadAuthority } from './authorityOnDisk.js'
import type { CertsRun } from './certsRun.js'
import type { AddTask, RenewTask, SignTask } from './certsTask.js'
import { configuredNodes } from './configuredNodes.js'
import { formOf, sayMade, warnOfShortening } from './makeCertificates.js'

interface NodeToAdd {
  readonly name: string
  readonly addresses: readonly AltName[]
}

/** In the directory of a task, to which some are to be added. Fails with `fileFailed`. */
export const filesOf = (directory: string, run: CertsRun): ReadonlySet<string> => {
  const names = fileNamesIn(run.path(directory))
  if (!names) throw new ClusterError('fileFailed', { message: `There is no directory ${directory}` })
  assertWritable(run.path(directory))
  return new Set(names)
}

/** With the authority of a task's directory. */
export const makerIn = async (task: AddTask | RenewTask | SignTask, run: CertsRun): Promise<CertificateMaker> => {
  // The key of a CA is often kept elsewhere.
  const hint = task.authority.key === undefined ? '; --ca-key FILE names another' : ''
  const { authority } = await loadAuthority(authorityIn(task.directory, task.authority, run), task, run, hint)
  const maker = new CertificateMaker({ authority, form: formOf(task), keyKind: task.keyKind, days: task.days, nowMs: run.nowMs })
  await warnOfShortening(maker, run)
  return maker
}

export const addNodes = async (task: AddTask, run: CertsRun): Promise<void> => {
  const nodes = await nodesToAdd(task, filesOf(task.directory, run), run)
  if (nodes.length === 0) {
    await run.log.write('INFO', `Every node of ${task.config} has its certificate.`)
    return
  }
  const maker = await makerIn(task, run)
  const files: NamedFile[] = []
  for (const { addresses, name } of nodes) {
    const made = await maker.node(name, addresses)
    files.push(...made.files)
    await sayMade(name, made, run)
  }
  addToDirectory(run.path(task.directory), files)
}

const nodesToAdd = async ({ config, node }: AddTask, there: ReadonlySet<string>, run: CertsRun): Promise<readonly NodeToAdd[]> => {
  const has = (name: string): boolean => there.has(certificateFile(name)) || there.has(keyFile(name))
  if (!node) return (await configuredNodes(config, false, run)).filter(({ name }) => !has(name))
  if (has(node.name))
    throw new ClusterError('fileFailed', {
      message: `${node.name} has a certificate or a key already: renew makes a new one with the same addresses; for others, move its files away first`,
    })
  return [node]
}
