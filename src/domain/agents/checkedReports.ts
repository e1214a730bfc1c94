/**
 * The check of reports that a program hands in: it may be written in JavaScript, and nothing stands between it and the table as the
 * query's shape does for those that ask over the local socket. Rules on the values of facts are domain/agents/packedFacts'.
 */
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { shown } from '../../base/shown.js'
import { agentFactNames } from './agent.js'
import { type AgentReport, reportKinds } from './agentReport.js'

const reportNames: ReadonlySet<string> = new Set(['id', 'kind', 'facts'])
const kinds: ReadonlySet<unknown> = new Set(reportKinds)
const factNames: ReadonlySet<string> = new Set(agentFactNames)
const list = (names: Iterable<unknown>): string => [...names].join(', ')

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is wrong with it, as the rest of a sentence that begins with its place. */
const wrongWith = (report: unknown): string | undefined => {
  if (!isObject(report)) return ` is ${shown(report)}: must be an object with id, kind and perhaps facts`
  const { facts, id, kind } = report as { readonly facts?: unknown; readonly id?: unknown; readonly kind?: unknown }
  for (const name in report) if (!reportNames.has(name)) return `.${name} is not part of a report: must be one of ${list(reportNames)}`
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > limits.agentIdMax)
    return `.id is ${shown(id)}: must be a whole number from 0 to ${limits.agentIdMax}`
  if (!kinds.has(kind)) return `.kind is ${shown(kind)}: must be one of ${list(kinds)}`
  if (facts === undefined) return undefined
  if (!isObject(facts)) return `.facts is ${shown(facts)}: must be an object of texts`
  for (const name in facts) {
    if (!factNames.has(name)) return `.facts.${name} is not a fact: must be one of ${list(factNames)}`
    if (typeof facts[name] !== 'string') return `.facts.${name} is ${shown(facts[name])}: must be a text`
  }
  return undefined
}

/** The reports, or `malformed` with the first invalid one. */
export const checkedReports = (reports: unknown): Result<readonly AgentReport[]> => {
  if (!Array.isArray(reports)) return refuse('malformed', { message: `reports is ${shown(reports)}: must be a list of reports` })
  for (const [at, report] of reports.entries()) {
    const wrong = wrongWith(report)
    if (wrong !== undefined) return refuse('malformed', { message: `reports[${at}]${wrong}` })
  }
  return ok(reports)
}
