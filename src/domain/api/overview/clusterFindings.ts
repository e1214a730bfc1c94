/**
 * What is to be said of a cluster, in sentences: what is wrong, the summary, then what is worth knowing. The first is the headline.
 * Nothing in a sentence changes only because time passes, so that it can be announced once; ages stand beside it.
 */
import { counted } from '../../../base/counted.js'
import { escapeText } from '../../../base/escapeText.js'
import { fullStop } from '../../../base/fullStop.js'
import { shortened } from '../../../base/logText.js'
import type { NodeOverview } from '../../queries/clusterAnswer.js'
import { ageText, countText, daysUntil } from './figureTexts.js'
import { type Condition, conditionOf, type Severity } from './nodeCondition.js'

export interface Finding {
  readonly severity: Severity
  readonly sentence: string
  /** Since when it is so. */
  readonly sinceMs?: number
  /** The node that it is about, when it is about one. */
  readonly node?: string
}

const namesShownMax = 3
const nameCharsMax = 40
const errorCharsMax = 200
/** Smaller skews are not worth an operator's time; `cluster_control -i more` shows them from here on too. */
export const clockSkewShownMs = 5_000
export const certificateDaysNoted = 30
export const certificateDaysBad = 7

const shownName = (name: string): string => shortened(escapeText(name), nameCharsMax)
const shownError = (error: string): string => fullStop(shortened(escapeText(error), errorCharsMax))

/** `a, b and c`; `a, b, c and 4 more`. */
const namesOf = (nodes: readonly NodeOverview[]): string => {
  const names = nodes.slice(0, namesShownMax).map(({ name }) => shownName(name))
  const rest = nodes.length - names.length
  if (rest > 0) return `${names.join(', ')} and ${countText(rest)} more`
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' and ')
}

const because = (error: string | undefined): string => (error === undefined ? '.' : `: ${shownError(error)}`)

/** One sentence of one node, or one of all: a hundred lost workers are one fact. */
const ofEach = (
  severity: Severity,
  nodes: readonly NodeOverview[],
  one: (node: NodeOverview) => string,
  many: string,
): readonly Finding[] => {
  if (nodes.length > namesShownMax) return [{ severity, sentence: `${countText(nodes.length)} nodes ${many}: ${namesOf(nodes)}.` }]
  return nodes.map((node) => ({ severity, sentence: one(node), node: node.name, sinceMs: node.sinceMs }))
}

const failing = (nodes: readonly NodeOverview[]): readonly Finding[] => {
  if (nodes.length === 0) return []
  const failed = nodes.reduce((sum, node) => sum + node.failed, 0)
  const [first] = nodes
  const sentence = `${counted(failed, 'file')} cannot be written on ${namesOf(nodes)}.`
  return [{ severity: 'bad', sentence, ...(nodes.length === 1 && first && { node: first.name }) }]
}

const certificates = (nodes: readonly NodeOverview[], nowMs: number): readonly Finding[] =>
  nodes
    .flatMap(({ name, certificateEndsMs: endsMs }) => (endsMs === undefined ? [] : [{ name, days: daysUntil(endsMs, nowMs) }]))
    .filter(({ days }) => days < certificateDaysNoted)
    .sort((a, b) => a.days - b.days)
    .slice(0, namesShownMax)
    .map(({ days, name }) => ({
      severity: days < certificateDaysBad ? 'bad' : 'note',
      sentence: `The certificate of ${shownName(name)} ${days < 0 ? 'has ended' : `ends in ${counted(days, 'day')}`}.`,
      node: name,
    }))

const clocks = (nodes: readonly NodeOverview[]): readonly Finding[] =>
  nodes
    .flatMap(({ name, clockSkewMs: skewMs = 0 }) => (Math.abs(skewMs) > clockSkewShownMs ? [{ name, skewMs }] : []))
    .sort((a, b) => Math.abs(b.skewMs) - Math.abs(a.skewMs))
    .slice(0, namesShownMax)
    .map(({ name, skewMs }) => ({
      severity: 'note',
      sentence: `The clock of ${shownName(name)} is ${ageText(Math.abs(skewMs))} ${skewMs > 0 ? 'behind' : 'ahead of'} the master's.`,
      node: name,
    }))

const versions = (nodes: readonly NodeOverview[]): readonly Finding[] => {
  const all = [...new Set(nodes.filter(({ isConnected }) => isConnected).map(({ version }) => version))].sort()
  if (all.length < 2) return []
  const shown = all.slice(0, namesShownMax).map(shownName)
  const rest = all.length - shown.length
  return [{ severity: 'note', sentence: `The nodes run different versions: ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}.` }]
}

const summary = (workers: readonly NodeOverview[], by: (condition: Condition) => readonly NodeOverview[]): Finding => {
  if (workers.length === 0) return { severity: 'note', sentence: 'No worker has joined yet.' }
  const inSync = by('inSync').length + by('drained').length
  const busy = [...by('syncing'), ...by('comparing')]
  const pending = busy.reduce((sum, node) => sum + node.pending, 0)
  const share = `${countText(inSync)} of ${counted(workers.length, 'worker')} ${inSync === 1 ? 'is' : 'are'} in sync`
  if (busy.length === 0) return { severity: inSync === workers.length ? 'good' : 'note', sentence: `${share}.` }
  const takes = `${busy.length === 1 ? 'takes' : 'take'} ${counted(pending, 'file')}`
  const compares = busy.length === 1 ? 'is being compared' : 'are being compared'
  return { severity: 'busy', sentence: `${share}; ${namesOf(busy)} ${pending > 0 ? takes : compares}.` }
}

/** Never empty. */
export const clusterFindings = (nodes: readonly NodeOverview[], nowMs: number): readonly Finding[] => {
  const present = nodes.filter(({ state }) => state !== 'removed')
  const by = (condition: Condition): readonly NodeOverview[] => present.filter((node) => conditionOf(node) === condition)
  const wrong = [
    ...ofEach('bad', by('lost'), ({ error, name }) => `${shownName(name)} is not connected${because(error)}`, 'are not connected'),
    ...failing(by('failing')),
    ...ofEach(
      'bad',
      by('incomparable'),
      ({ error, name }) => `The files of ${shownName(name)} are not compared${because(error)}`,
      'are not compared',
    ),
    ...certificates(present, nowMs),
    ...clocks(present),
    ...versions(present),
    ...ofEach(
      'note',
      [...by('drained'), ...by('away')],
      ({ isConnected, name }) => `${shownName(name)} is drained${isConnected ? '' : ' and away'}.`,
      'are drained',
    ),
  ]
  const bad = wrong.filter(({ severity }) => severity === 'bad')
  const workers = present.filter(({ type }) => type === 'worker')
  return [...bad, summary(workers, by), ...wrong.filter(({ severity }) => severity !== 'bad')]
}
