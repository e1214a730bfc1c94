/**
 * The facts of an agent as one text: ten of them are read, written and compared at the price of one. In the order of
 * agentFactNames, with a character between them that no fact may hold; then those of a real manager, where it says any.
 */
import { limits } from '../../base/limits.js'
import { type AgentFactName, type AgentFacts, agentFactNames, type ManagerFactName, managerFactNames } from './agent.js'

/** DEL: a control character, and JSON does not escape it. */
export const factSeparator = '\u007F'

/**
 * Control characters but these three, and halves of surrogate pairs. Lines and tabs are for labels only. A
 * lookahead in place of the double negation would take four times as long.
 */
const isUnfit = /[^\P{Cc}\n\t\u007F]|\p{Cs}/u

export const packFacts = (facts: AgentFacts): string => {
  const packed = agentFactNames.map((name) => facts[name]).join(factSeparator)
  // Nodes of earlier builds refuse what has more separators.
  if (!managerFactNames.some((name) => facts[name])) return packed
  return [packed, ...managerFactNames.map((name) => facts[name] ?? '')].join(factSeparator)
}

export const unpackFacts = (packed: string): AgentFacts => {
  const texts = packed.split(factSeparator)
  const said = {
    ip: texts[0] ?? '',
    version: texts[1] ?? '',
    osName: texts[2] ?? '',
    osVersion: texts[3] ?? '',
    osPlatform: texts[4] ?? '',
    osArch: texts[5] ?? '',
    osUname: texts[6] ?? '',
    configSum: texts[7] ?? '',
    mergedSum: texts[8] ?? '',
    labels: texts[9] ?? '',
  }
  if (texts.length <= agentFactNames.length) return said
  const facts: AgentFacts & { -readonly [K in ManagerFactName]?: string } = said
  for (const [index, name] of managerFactNames.entries()) {
    const text = texts[agentFactNames.length + index]
    if (text) facts[name] = text
  }
  return facts
}

/** A fact of an agent that breaks a rule. */
export interface RefusedFact {
  readonly fact: AgentFactName | ManagerFactName
  /** What is wrong with it, as the rest of a sentence. */
  readonly why: string
}

/** What an agent says of itself, packed without the facts that break a rule: those are as if it had not said them. */
export const siftFacts = (said: Partial<AgentFacts>): { readonly packed: string; readonly refused: readonly RefusedFact[] } => {
  const packed = packFacts({ ...noFacts, ...said })
  if (areSoundFacts(packed)) return { packed, refused: [] }
  const facts: { -readonly [K in AgentFactName]: string } & { -readonly [K in ManagerFactName]?: string } = { ...noFacts, ...said }
  const refused: RefusedFact[] = []
  for (const fact of [...agentFactNames, ...managerFactNames]) {
    const why = wrongWith(fact, facts[fact] ?? '')
    if (why === undefined) continue
    facts[fact] = ''
    refused.push({ fact, why })
  }
  return { packed: packFacts(facts), refused }
}

const noFacts = unpackFacts('')

const wrongWith = (fact: RefusedFact['fact'], text: string): string | undefined => {
  const charsMax = fact === 'labels' ? limits.agentLabelsCharsMax : limits.agentFactCharsMax
  if (text.length > charsMax) return `has ${text.length} characters, the limit is ${charsMax}`
  const isUnfitAlone = isUnfit.test(text) || text.includes(factSeparator) || (fact !== 'labels' && /[\n\t]/.test(text))
  return isUnfitAlone ? 'has a character that is not allowed' : undefined
}

/** Are these all facts, each within its bounds? A separator inside a fact makes it one too many. */
export const areSoundFacts = (packed: string): boolean => {
  const labelsAt = startAfter(packed, 0, agentFactNames.length - 1)
  if (labelsAt < 0) return false
  const separatorAt = packed.indexOf(factSeparator, labelsAt)
  const labelsEnd = separatorAt < 0 ? packed.length : separatorAt
  if (labelsEnd - labelsAt > limits.agentLabelsCharsMax) return false
  if (separatorAt >= 0 && !areSoundManagerFacts(packed, separatorAt + 1)) return false
  const isOutsideLabels = (at: number): boolean => at >= 0 && (at < labelsAt || at >= labelsEnd)
  const hasLine = ['\n', '\t'].some((line) => isOutsideLabels(packed.indexOf(line)) || isOutsideLabels(packed.lastIndexOf(line)))
  return !hasLine && !isUnfit.test(packed)
}

const areSoundManagerFacts = (packed: string, start: number): boolean => {
  const lastAt = startAfter(packed, start, managerFactNames.length - 1)
  return lastAt >= 0 && !packed.includes(factSeparator, lastAt) && packed.length - lastAt <= limits.agentFactCharsMax
}

/** Where the text behind this many facts begins; below zero when there are fewer, or one is too long. */
const startAfter = (packed: string, from: number, facts: number): number => {
  let start = from
  for (let fact = 0; fact < facts; fact++) {
    const end = packed.indexOf(factSeparator, start)
    if (end < 0 || end - start > limits.agentFactCharsMax) return -1
    start = end + 1
  }
  return start
}
