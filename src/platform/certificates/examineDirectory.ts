/** Reads every certificate of a directory, with its key, and finds out which authority of the directory vouches for it. */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import type { ExaminedCertificate } from '../../domain/certificates/certificateProblems.js'
import { certificateFile, intermediateName, keyFile, rootName } from '../../domain/certificates/nodeName.js'
import { isSelfIssued } from './authority.js'
import { fileNamesIn, type PemFile, readPemFile } from './pemFiles.js'
import { isEncryptedKey, parsedKey } from './privateKeys.js'
import { certificateFacts, parsedCertificates } from './readCertificates.js'
import { isVersion1 } from './version1.js'

export interface ExaminedDirectory {
  readonly certificates: readonly ExaminedCertificate[]
  /** A sentence for each file that is not a certificate, though its name says so, and for a root that is missing. */
  readonly faults: readonly string[]
}

/** A certificate is signed by another one, that one by the next, up to one of the root's file. */
const chainMax = 8
const openMode = 0o004

/** Fails with `fileFailed` when there is no such directory. */
export const examineDirectory = (directory: string): ExaminedDirectory => {
  const names = fileNamesIn(directory)
  if (!names) throw new ClusterError('fileFailed', { message: `There is no directory ${directory}` })
  const files = names.filter((name) => name.endsWith('.pem') && !name.endsWith('-key.pem') && !name.startsWith('.'))
  const read = new Map<string, readonly X509Certificate[]>()
  const faults: string[] = []
  for (const file of files) {
    try {
      read.set(file.slice(0, -'.pem'.length), certificatesIn(join(directory, file)))
    } catch (thrown) {
      if (!(thrown instanceof ClusterError)) throw thrown
      faults.push(thrown.message)
    }
  }
  const roots = read.get(rootName) ?? []
  if (!files.includes(certificateFile(rootName))) faults.push(`${directory} has no ${certificateFile(rootName)}`)
  const between = read.get(intermediateName) ?? []
  const certificates = [...read].flatMap(([name, all]) => {
    const trusted = (one: X509Certificate): boolean => isTrusted(one, roots, [...all, ...between])
    // Behind the first one of any other file stands its chain.
    return examined(directory, name, name === rootName ? all : all.slice(0, 1), trusted)
  })
  return { certificates, faults }
}

const certificatesIn = (path: string): readonly X509Certificate[] => {
  const file = readPemFile(path)
  if (!file) throw new ClusterError('fileFailed', { message: `${path} does not exist` })
  return parsedCertificates(file.text, path)
}

const examined = (
  directory: string,
  name: string,
  certificates: readonly X509Certificate[],
  trusted: (one: X509Certificate) => boolean,
): readonly ExaminedCertificate[] => {
  const path = join(directory, keyFile(name))
  const file = keyFileAt(path)
  const keys = certificates.map((certificate) => keyState(file, path, certificate))
  const isOpen = typeof file === 'object' && (file.mode & openMode) !== 0
  return certificates.map((certificate, at) => {
    const key = keys[at] ?? 'missing'
    return {
      name,
      position: at + 1,
      facts: certificateFacts(certificate),
      // The key is that of another one in the same file.
      key: key === 'foreign' && keys.includes('fits') ? 'missing' : key,
      keyIsOpen: isOpen && key === 'fits',
      isTrusted: trusted(certificate),
      isVersion1: isVersion1(certificate.raw),
    }
  })
}

const keyFileAt = (path: string): PemFile | 'missing' | 'unreadable' => {
  try {
    return readPemFile(path) ?? 'missing'
  } catch (thrown) {
    if (thrown instanceof ClusterError) return 'unreadable'
    throw thrown
  }
}

const keyState = (file: PemFile | 'missing' | 'unreadable', path: string, certificate: X509Certificate): ExaminedCertificate['key'] => {
  if (typeof file === 'string') return file
  if (isEncryptedKey(file.text)) return 'encrypted'
  let key: KeyObject
  try {
    key = parsedKey(file.text, path)
  } catch (thrown) {
    if (thrown instanceof ClusterError) return 'unreadable'
    throw thrown
  }
  return certificate.checkPrivateKey(key) ? 'fits' : 'foreign'
}

/** Up the chain, each step signed by the next, until one that the root's file has itself. */
const isTrusted = (certificate: X509Certificate, roots: readonly X509Certificate[], between: readonly X509Certificate[]): boolean => {
  let current = certificate
  for (let step = 0; step < chainMax; step++) {
    if (roots.some(({ fingerprint256 }) => fingerprint256 === current.fingerprint256)) return true
    const next = [...roots, ...between].find((issuer) => isSignedBy(current, issuer))
    if (!next || isSelfIssued(current)) return false
    current = next
  }
  return false
}

export const isSignedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
