/** The groups that an agent asks for at its enrolment: their syntax, by the rules and in the words of wazuh-authd. */
import { limits } from '../../base/limits.js'

export type RequestedGroups = { readonly ok: true; readonly groups: readonly string[] } | { readonly ok: false; readonly says: string }

/** As much of a name as an error quotes. */
const quotedCharsMax = 255
const permitted = /^[A-Za-z0-9.:;_\-=+!@(),]*$/

const refused = (name: string, why: string): RequestedGroups => ({
  ok: false,
  says: `Invalid group name: ${name.slice(0, quotedCharsMax)}... ${why}`,
})

/** The rule that the text breaks; undefined when it breaks none. */
const brokenRule = (text: string): RequestedGroups | undefined => {
  if (text === '') return { ok: false, says: 'Invalid group name: Empty Group' }
  const names = text.split(',').filter((name) => name !== '')
  const isList = text.includes(',')
  if (!isList && text.length > limits.groupNameCharsMax) return refused(text, 'group is too large')
  if (isList) {
    for (const name of names) {
      if (name.includes(' ')) return refused(text, 'white spaces are not allowed')
      if (name.length > limits.groupNameCharsMax) return refused(name, 'group is too large')
    }
    if (text.includes(',,')) return refused(text, "consecutive ',' are not allowed")
  }
  if (names.length === 0) return refused(text, "characters '\\/:*?\"<>|,' are prohibited")
  if (text.startsWith(',') || text.endsWith(',')) return refused(text, "cannot start or end with ','")
  return permitted.test(text) ? undefined : refused(text, "characters '\\/:*?\"<>|,' are prohibited")
}

/** @param text separated by commas, one character a byte */
export const requestedGroups = (text: string): RequestedGroups => {
  const broken = brokenRule(text)
  if (broken) return broken
  // Repeated ones are left out among the first, and not among those at the end: wazuh-authd takes these for one name.
  const names = text.split(',')
  const most = limits.groupsPerAgentMax - 1
  const kept = [...new Set(names.slice(0, most)), ...names.slice(most)]
  return kept.length > limits.groupsPerAgentMax
    ? { ok: false, says: `Maximum multigroup reached: Limit is ${limits.groupsPerAgentMax}` }
    : { ok: true, groups: [...new Set(kept)] }
}
