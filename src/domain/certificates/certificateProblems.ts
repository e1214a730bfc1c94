/** What is wrong with a certificate that is on the disk, and how bad that is. */
import { type CertificateFacts, type CertificateKind, certificateKind } from './certificateFacts.js'
import { daysLeft } from './expiry.js'

/** From the best to the worst; the exit codes of `check` are their places. */
export const states = ['fine', 'soon', 'broken'] as const
export type CertificateState = (typeof states)[number]

export interface ExaminedCertificate {
  /** Of its file, without the ending. */
  readonly name: string
  /** In its file, from 1: while a root is replaced by another one, its file has both. */
  readonly position: number
  readonly facts: CertificateFacts
  /** `missing` is no fault: the key of an authority is often kept elsewhere, and that of a signed request never was here. */
  readonly key: 'fits' | 'foreign' | 'encrypted' | 'unreadable' | 'missing'
  readonly keyIsOpen: boolean
  /** Whether the authorities of the directory vouch for it. */
  readonly isTrusted: boolean
  readonly isVersion1: boolean
}

export interface Problem {
  readonly state: CertificateState
  readonly says: string
}

export interface JudgedCertificate extends ExaminedCertificate {
  readonly kind: CertificateKind
  readonly daysLeft: number
  readonly state: CertificateState
  readonly problems: readonly Problem[]
}

const rsaBitsMin = 2_048

const isWeak = (keyType: string): boolean => {
  const bits = /^rsa(\d+)$/.exec(keyType)?.[1]
  return bits !== undefined && Number(bits) < rsaBitsMin
}

const keyProblems: Readonly<Partial<Record<ExaminedCertificate['key'], string>>> = {
  foreign: 'the key does not belong to it',
  unreadable: 'the key cannot be read',
}

const problemsOf = (one: ExaminedCertificate, nowMs: number, withinMs: number): readonly Problem[] => {
  const { facts, isTrusted, isVersion1, key, keyIsOpen } = one
  const kind = certificateKind(facts)
  const problems: Problem[] = []
  const note = (state: CertificateState, says: string): void => void problems.push({ state, says })
  if (facts.endsMs <= nowMs) note('broken', 'expired')
  else if (facts.endsMs - nowMs <= withinMs) note('soon', 'ends soon')
  if (facts.startsMs > nowMs) note('broken', 'not valid yet')
  if (!isTrusted) note('broken', 'not signed by the CA of this directory')
  const wrong = keyProblems[key]
  if (wrong !== undefined) note('broken', wrong)
  if (keyIsOpen) note('soon', 'every user can read the key')
  if (isWeak(facts.keyType)) note('soon', `its key is short (${facts.keyType})`)
  if (kind === 'node' && facts.altNames.length === 0) note('fine', 'names no address (no SAN)')
  if (isVersion1) note('fine', 'version 1')
  return problems
}

export const worstState = (all: readonly { readonly state: CertificateState }[]): CertificateState =>
  states[Math.max(0, ...all.map(({ state }) => states.indexOf(state)))] ?? 'fine'

export const judgedCertificate = (one: ExaminedCertificate, nowMs: number, withinMs: number): JudgedCertificate => {
  const problems = problemsOf(one, nowMs, withinMs)
  return { ...one, kind: certificateKind(one.facts), daysLeft: daysLeft(one.facts.endsMs, nowMs), state: worstState(problems), problems }
}
