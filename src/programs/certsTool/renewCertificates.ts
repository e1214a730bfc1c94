/** New certificates in place of those that end soon, or of the named ones: the same subjects and addresses. */
import type { KeyObject } from 'node:crypto'
import { ClusterError } from '../../base/errors.js'
import { shown } from '../../base/shown.js'
import { certificateKind } from '../../domain/certificates/certificateFacts.js'
import type { ExaminedCertificate } from '../../domain/certificates/certificateProblems.js'
import { certificateFile } from '../../domain/certificates/nodeName.js'
import type { CertificateMaker } from '../../platform/certificates/certificateMaker.js'
import { examineDirectory } from '../../platform/certificates/examineDirectory.js'
import { assertWritable, replaceInDirectory } from '../../platform/certificates/pemFiles.js'
import { parsedCertificates } from '../../platform/certificates/readCertificates.js'
import { makerIn } from './addNodes.js'
import { existingFile } from './authorityOnDisk.js'
import type { CertsRun } from './certsRun.js'
import type { RenewTask } from './certsTask.js'
import { sayMade } from './makeCertificates.js'
import { dayText } from './texts.js'

export const renewCertificates = async (task: RenewTask, run: CertsRun): Promise<void> => {
  const { certificates, faults } = examineDirectory(run.path(task.directory))
  for (const fault of faults) await run.log.write('WARNING', `${fault}.`)
  const chosen =
    task.names === 'due' ? await dueOnes(task, certificates, run) : task.names.map((name) => namedOne(name, task, certificates))
  if (chosen.length === 0) {
    await run.log.write('INFO', 'No certificate is to be renewed.')
    return
  }
  assertWritable(run.path(task.directory))
  const maker = await makerIn(task, run)
  for (const one of chosen) await renew(one, task, maker, run)
}

/** The authorities' own are not among them, nor what another authority signed. */
const dueOnes = async (
  { withinMs }: RenewTask,
  certificates: readonly ExaminedCertificate[],
  { log, nowMs }: CertsRun,
): Promise<readonly ExaminedCertificate[]> => {
  const chosen: ExaminedCertificate[] = []
  for (const one of certificates) {
    const { endsMs } = one.facts
    if (endsMs - nowMs > withinMs) continue
    const reason = refusalOf(one)
    if (reason === undefined) chosen.push(one)
    else await log.write('WARNING', `${one.name} ends on ${dayText(endsMs)} and is not renewed: ${reason}.`)
  }
  return chosen
}

const namedOne = (name: string, { directory }: RenewTask, certificates: readonly ExaminedCertificate[]): ExaminedCertificate => {
  const one = certificates.find((other) => other.name === name)
  if (!one) throw new ClusterError('fileFailed', { message: `There is no certificate ${shown(`${name}.pem`)} in ${directory}` })
  const reason = refusalOf(one)
  if (reason !== undefined) throw new ClusterError('configInvalid', { message: `${name} is not renewed: ${reason}` })
  return one
}

const refusalOf = (one: ExaminedCertificate): string | undefined => {
  if (certificateKind(one.facts) === 'ca') return 'it is that of a CA, and everything that it signed would have to be made again'
  return one.isTrusted ? undefined : 'the CA of this directory did not sign it'
}

const renew = async (one: ExaminedCertificate, task: RenewTask, maker: CertificateMaker, run: CertsRun): Promise<void> => {
  const path = run.path(`${task.directory}/${certificateFile(one.name)}`)
  const [certificate] = parsedCertificates(existingFile(path).text, path)
  if (!certificate) return
  let kept: KeyObject | undefined
  if (task.keepsKey || one.key === 'missing') {
    kept = certificate.publicKey
    if (!task.keepsKey) await run.log.write('INFO', `The key of ${one.name} is not in this directory: it stays the same.`)
  }
  const made = await maker.like(one.name, certificate, kept)
  replaceInDirectory(run.path(task.directory), made.files)
  await sayMade(one.name, made, run)
}
