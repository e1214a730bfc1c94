/** The files of the enrolment service: its certificate and key, which are made when it has neither; its authorities; its password. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import type { KeyKind } from '../../domain/certificates/keyKinds.js'
import { passwordIn, passwordPath } from '../../domain/enrolment/passwordFile.js'
import type { EnrolmentOptions } from '../../ports/enrolment.js'
import { readBoundedText } from '../machine/readBoundedText.js'
import { type CertificateWithKey, selfSignedCertificate } from './selfSignedCertificate.js'

/** Wazuh's defaults, relative to the home. */
export const defaultCertificatePath = 'etc/sslmanager.cert'
export const defaultKeyPath = 'etc/sslmanager.key'

/** Of `<auth>`. Paths are absolute, or relative to the home. */
export interface EnrolmentFiles {
  readonly home: string
  readonly certificatePath: string
  readonly keyPath: string
  readonly agentCaPath?: string
  readonly usesPassword: boolean
  /** Of a key that is made. A signature by P-256 takes a tenth of the processor time of one by RSA. */
  readonly keyKind: KeyKind
}

const mode = 0o640

const invalid = (message: string, cause?: unknown): ClusterError => new ClusterError('configInvalid', { message, cause })

/** Always the same name, so that what a crash left is found. */
const unfinished = (path: string): string => `${path}.new`

const writeWhole = (path: string, text: string): void => {
  rmSync(path, { force: true })
  const file = openSync(path, 'wx', mode)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

const syncDirectory = (path: string): void => {
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** Both or, after a crash between the two names, the key with the certificate beside it under another name. */
const writePair = (certificatePath: string, keyPath: string, { certificate, key }: CertificateWithKey): void => {
  try {
    writeWhole(unfinished(certificatePath), certificate)
    writeWhole(unfinished(keyPath), key)
    renameSync(unfinished(keyPath), keyPath)
    syncDirectory(keyPath)
    renameSync(unfinished(certificatePath), certificatePath)
    syncDirectory(certificatePath)
  } catch (thrown) {
    throw invalid(
      `The certificate of the enrolment service could not be written: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      thrown,
    )
  }
}

const belongTogether = (certificate: string, key: string): boolean => {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

/** Brings to an end what a crash in writePair left. */
const finishedCertificate = (certificatePath: string, key: string): string | undefined => {
  const left = readBoundedText(unfinished(certificatePath), 'utf8')
  if (left === undefined || !belongTogether(left, key)) return undefined
  renameSync(unfinished(certificatePath), certificatePath)
  syncDirectory(certificatePath)
  return left
}

const isDefault = ({ certificatePath, home, keyPath }: EnrolmentFiles): boolean =>
  resolve(home, certificatePath) === join(resolve(home), defaultCertificatePath) &&
  resolve(home, keyPath) === join(resolve(home), defaultKeyPath)

const loadPair = async (files: EnrolmentFiles, nowMs: number): Promise<CertificateWithKey> => {
  const certificatePath = resolve(files.home, files.certificatePath)
  const keyPath = resolve(files.home, files.keyPath)
  const key = readBoundedText(keyPath, 'utf8')
  const certificate =
    readBoundedText(certificatePath, 'utf8') ?? (key === undefined ? undefined : finishedCertificate(certificatePath, key))
  if (certificate !== undefined && key !== undefined) return { certificate, key }
  if (certificate === undefined && key === undefined && isDefault(files)) {
    const made = await selfSignedCertificate(nowMs, files.keyKind)
    writePair(certificatePath, keyPath, made)
    return made
  }
  const [there, missing] = certificate === undefined ? [keyPath, certificatePath] : [certificatePath, keyPath]
  throw invalid(
    certificate === undefined && key === undefined
      ? `${certificatePath} and ${keyPath}, the certificate and the key of the enrolment service, do not exist`
      : `${missing} does not exist, but ${there} does: put back what is missing, or remove the other to have both made`,
  )
}

const loadPassword = (home: string): string => {
  const path = resolve(home, passwordPath)
  const content = readBoundedText(path, 'latin1')
  const password = content === undefined ? undefined : passwordIn(content)
  if (password !== undefined) return password
  const why = content === undefined ? `${path} does not exist` : `the first line of ${path} is not a password of 2 to 4094 characters`
  throw invalid(`Agents need a password to enrol (use_password), but ${why}`)
}

export type LoadedEnrolmentFiles = Pick<EnrolmentOptions, 'certificate' | 'key' | 'agentCa' | 'password'>

/** Fails with `configInvalid`. @param nowMs from when a certificate that is made is valid */
export const loadEnrolmentFiles = async (files: EnrolmentFiles, nowMs: number): Promise<LoadedEnrolmentFiles> => {
  const { agentCaPath, home, usesPassword } = files
  const password = usesPassword ? loadPassword(home) : undefined
  const agentCa = agentCaPath === undefined ? undefined : readBoundedText(resolve(home, agentCaPath), 'utf8')
  if (agentCaPath !== undefined && agentCa === undefined) throw invalid(`${resolve(home, agentCaPath)} (ssl_agent_ca) does not exist`)
  return { ...(await loadPair(files, nowMs)), agentCa, password }
}
