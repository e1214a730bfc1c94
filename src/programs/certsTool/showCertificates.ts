/** `list` and `check`: the certificates of a directory, as a table or as JSON. */
import { escapeText, safeJson } from '../../base/escapeText.js'
import {
  type CertificateState,
  type JudgedCertificate,
  judgedCertificate,
  states,
  worstState,
} from '../../domain/certificates/certificateProblems.js'
import { certificateFile } from '../../domain/certificates/nodeName.js'
import { examineDirectory } from '../../platform/certificates/examineDirectory.js'
import { tableText } from '../kit/table.js'
import type { CertsRun } from './certsRun.js'
import type { ShowTask } from './certsTask.js'
import { dayText, namesText } from './texts.js'

export interface ShownCertificates {
  readonly text: string
  readonly code: number
}

/** Fails with `fileFailed` when there is no such directory. */
export const showCertificates = ({ directory, isJson, kind, withinMs }: ShowTask, { nowMs, path }: CertsRun): ShownCertificates => {
  const { certificates, faults } = examineDirectory(path(directory))
  const judged = certificates.map((one) => judgedCertificate(one, nowMs, withinMs))
  const state = faults.length > 0 ? 'broken' : worstState(judged)
  const code = kind === 'check' ? states.indexOf(state) : 0
  if (isJson) return { code, text: `${safeJson({ error: 0, data: { state, faults, certificates: judged.map(jsonOf) } })}\n` }
  const table = judged.length === 0 ? '' : kind === 'list' ? listText(judged) : checkText(judged)
  return { code, text: `${table}${faults.map((fault) => `${escapeText(fault)}\n`).join('')}` }
}

const byKind: readonly JudgedCertificate['kind'][] = ['ca', 'admin', 'node']
const sorted = (judged: readonly JudgedCertificate[]): readonly JudgedCertificate[] =>
  [...judged].sort((one, other) => byKind.indexOf(one.kind) - byKind.indexOf(other.kind))

const listText = (judged: readonly JudgedCertificate[]): string =>
  tableText(
    ['name', 'kind', 'ends', 'days left', 'key', 'for'],
    sorted(judged).map(({ daysLeft, facts, kind, ...one }) => [
      nameText(one),
      kind,
      dayText(facts.endsMs),
      String(daysLeft),
      facts.keyType,
      kind === 'node' ? escapeText(namesText(facts.altNames)) : escapeText(facts.subject),
    ]),
  )

const nameText = ({ name, position }: Pick<JudgedCertificate, 'name' | 'position'>): string =>
  escapeText(position === 1 ? name : `${name} (${position})`)

/** The worst first. */
const checkText = (judged: readonly JudgedCertificate[]): string =>
  tableText(
    ['name', 'state', 'ends', 'days left', 'says'],
    [...sorted(judged)]
      .sort((one, other) => place(other.state) - place(one.state))
      .map(({ daysLeft, facts, problems, state, ...one }) => [
        nameText(one),
        state,
        dayText(facts.endsMs),
        String(daysLeft),
        problems.map(({ says }) => says).join('; '),
      ]),
  )

const place = (state: CertificateState): number => states.indexOf(state)

const isoText = (ms: number): string | null => (Number.isFinite(ms) ? new Date(ms).toISOString() : null)

const jsonOf = ({ daysLeft, facts, isVersion1, key, kind, name, position, problems, state }: JudgedCertificate) => ({
  name,
  file: certificateFile(name),
  position,
  kind,
  state,
  problems: problems.map(({ says, state: worth }) => ({ state: worth, says })),
  starts: isoText(facts.startsMs),
  ends: isoText(facts.endsMs),
  days_left: daysLeft,
  names: facts.altNames,
  subject: facts.subject,
  issuer: facts.issuer,
  serial: facts.serial,
  fingerprint: facts.fingerprint,
  key_type: facts.keyType,
  key,
  version: isVersion1 ? 1 : 3,
})
