/**
 * The facts of an agent as one text: ten of them are read, written and compared at the price of one. In the order of
 * agentFactNames, with a character between them that no fact may hold.
 */
import { limits } from '../../base/limits.js'
import { type AgentFactName, type AgentFacts, agentFactNames } from './agent.js'

/** DEL: a control character, and JSON does not escape it. */
export const factSeparator = '\u007F'

/**
 * Control characters but these three, and halves of surrogate pairs. Lines and tabs are for labels only, which come last. A
 * lookahead in place of the double negation would take four times as long.
 */
const isUnfit = /[^\P{Cc}\n\t\u007F]|\p{Cs}/u

export const packFacts = (facts: AgentFacts): string => agentFactNames.map((name) => facts[name]).join(factSeparator)

export const unpackFacts = (packed: string): AgentFacts => {
  const texts = packed.split(factSeparator)
  return {
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
}

/** A fact of an agent that breaks a rule. */
export interface RefusedFact {
  readonly fact: AgentFactName
  /** What is wrong with it, as the rest of a sentence. */
  readonly why: string
}

/** What an agent says of itself, packed without the facts that break a rule: those are as if it had not said them. */
export const siftFacts = (said: Partial<AgentFacts>): { readonly packed: string; readonly refused: readonly RefusedFact[] } => {
  const packed = packFacts({ ...noFacts, ...said })
  if (areSoundFacts(packed)) return { packed, refused: [] }
  const facts: { -readonly [K in AgentFactName]: string } = { ...noFacts, ...said }
  const refused: RefusedFact[] = []
  for (const fact of agentFactNames) {
    const why = wrongWith(fact, facts[fact])
    if (why === undefined) continue
    facts[fact] = ''
    refused.push({ fact, why })
  }
  return { packed: packFacts(facts), refused }
}

const noFacts = unpackFacts('')

const wrongWith = (fact: AgentFactName, text: string): string | undefined => {
  const charsMax = fact === 'labels' ? limits.agentLabelsCharsMax : limits.agentFactCharsMax
  if (text.length > charsMax) return `has ${text.length} characters, the limit is ${charsMax}`
  const isUnfitAlone = isUnfit.test(text) || text.includes(factSeparator) || (fact !== 'labels' && /[\n\t]/.test(text))
  return isUnfitAlone ? 'has a character that is not allowed' : undefined
}

/** Are these all facts, each within its bounds? A separator inside a fact makes it one too many. */
export const areSoundFacts = (packed: string): boolean => {
  let start = 0
  for (let fact = 1; fact < agentFactNames.length; fact++) {
    const end = packed.indexOf(factSeparator, start)
    if (end < 0 || end - start > limits.agentFactCharsMax) return false
    start = end + 1
  }
  const isLine = (at: number): boolean => at >= 0 && at < start
  return (
    packed.length - start <= limits.agentLabelsCharsMax &&
    !packed.includes(factSeparator, start) &&
    !isLine(packed.indexOf('\n')) &&
    !isLine(packed.indexOf('\t')) &&
    !isUnfit.test(packed)
  )
}
