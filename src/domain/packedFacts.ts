/**
 * The facts of an agent as one text: ten of them are read, written and compared at the price of one. In the order of
 * agentFactNames, with a character between them that no fact may hold.
 */
import { limits } from '../limits.js'
import { type AgentFacts, agentFactNames } from './agent.js'

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
