/** The authority that signs, out of the files that were named or those of the directory. */
import { existsSync } from 'node:fs'
import { ClusterError } from '../../base/errors.js'
import { certificateFile, intermediateName, keyFile, rootName } from '../../domain/certificates/nodeName.js'
import { type Authority, readAuthority } from '../../platform/certificates/authority.js'
import { type PemFile, readPemFile } from '../../platform/certificates/pemFiles.js'
import type { CertsRun } from './certsRun.js'
import type { AuthorityPaths, MakingOptions } from './certsTask.js'
import { askedPassphrase, passphraseIn } from './passphrase.js'

/** Fails with Wazuh's sentence. */
export const existingFile = (path: string, hint = ''): PemFile => {
  const file = readPemFile(path)
  if (!file) throw new ClusterError('fileFailed', { message: `The file ${path} does not exists${hint}` })
  return file
}

/** What is copied of an existing authority, beside itself. */
export interface AuthorityTexts {
  readonly authority: Authority
  readonly certificate: string
  readonly key: string
}

/** Fails with `fileFailed` or `configInvalid`. */
export const loadAuthority = async (
  { certificate: certificatePath, key: keyPath }: AuthorityPaths,
  { passphraseFile }: MakingOptions,
  run: CertsRun,
  keyHint = '',
): Promise<AuthorityTexts> => {
  await run.log.write('DEBUG', 'Checking if the root CA exists.')
  const { text: certificate } = existingFile(run.path(certificatePath))
  const { text: key } = existingFile(run.path(keyPath), keyHint)
  const passphrase = async (): Promise<string> =>
    passphraseFile === undefined ? askedPassphrase(keyPath, run.stdin, run.stdout) : passphraseIn(run.path(passphraseFile))
  return { authority: await readAuthority({ certificate, certificatePath, key, keyPath }, run.nowMs, passphrase), certificate, key }
}

/** The intermediate CA signs where there is one. What was named comes first. */
export const authorityIn = (directory: string, named: Partial<AuthorityPaths>, run: CertsRun): AuthorityPaths => {
  const name = existsSync(run.path(`${directory}/${certificateFile(intermediateName)}`)) ? intermediateName : rootName
  return {
    certificate: named.certificate ?? `${directory}/${certificateFile(name)}`,
    key: named.key ?? `${directory}/${keyFile(name)}`,
  }
}
