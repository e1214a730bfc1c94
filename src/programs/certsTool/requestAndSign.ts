/** A certificate for a key that never leaves its node: the request is made there, and signed where the CA is. */
import { ClusterError } from '../../base/errors.js'
import { certificateFile, keyFile } from '../../domain/certificates/nodeName.js'
import { makeRequest, readRequest } from '../../platform/certificates/certificateRequest.js'
import { addToDirectory } from '../../platform/certificates/pemFiles.js'
import { keyPem, makePrivateKey } from '../../platform/certificates/privateKeys.js'
import { filesOf, makerIn } from './addNodes.js'
import { existingFile } from './authorityOnDisk.js'
import type { CertsRun } from './certsRun.js'
import type { RequestTask, SignTask } from './certsTask.js'
import { sayMade } from './makeCertificates.js'

export const requestCertificate = async ({ addresses, directory, keyKind, name }: RequestTask, run: CertsRun): Promise<void> => {
  const files = [keyFile(name), `${name}.csr`]
  const there = filesOf(directory, run)
  for (const file of files)
    if (there.has(file))
      throw new ClusterError('fileFailed', { message: `${file} is in ${run.path(directory)} already: move it away first` })
  const key = await makePrivateKey(keyKind)
  const request = await makeRequest(key, name, addresses)
  addToDirectory(run.path(directory), [
    { name: keyFile(name), content: keyPem(key) },
    { name: `${name}.csr`, content: request },
  ])
  await run.log.write('INFO', `${keyFile(name)} stays here; ${name}.csr goes to where the CA is, for: wazuh-certs-tool sign ${name}.csr`)
}

export const signRequest = async (task: SignTask, run: CertsRun): Promise<void> => {
  const there = filesOf(task.directory, run)
  const { addresses, ignored, name, publicKey } = await readRequest(existingFile(run.path(task.file)).text, task.file)
  for (const says of ignored) await run.log.write('WARNING', `The request ${task.file}: ${says}. That is left out.`)
  const file = certificateFile(name)
  if (there.has(file)) throw new ClusterError('fileFailed', { message: `${file} is in ${task.directory} already: move it away first` })
  const maker = await makerIn(task, run)
  const made = await maker.nodeOf(publicKey, name, addresses)
  addToDirectory(run.path(task.directory), made.files)
  await sayMade(name, made, run)
}
