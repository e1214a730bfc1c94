/** What a start-up message is answered: the version decides. What is not JSON, as of OSSEC's agents, says nothing of a version and is let in. */
import { higherVersionText, isHigherVersion } from '../agents/agentVersion.js'

/** The first message after a start-up is exactly this, with the space; any other fails the agent's attempt. */
export const ackText = '#!-agent ack '

const errorText = (message: string): string => `#!-err ${JSON.stringify({ message })}`
const versionMissingText = errorText("Couldn't retrieve version")
const versionTooHighText = errorText(higherVersionText)

export type StartupAnswer =
  | { readonly kind: 'ack' }
  | { readonly kind: 'versionMissing'; readonly text: string }
  | { readonly kind: 'versionTooHigh'; readonly text: string }

export interface VersionRule {
  readonly wazuhVersion: string
  readonly allowHigherVersions: boolean
}

const notJson = Symbol('not JSON')

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return notJson
  }
}

/** Wazuh's parser stops at the end of the first value, whatever follows. */
const firstValue = (text: string): unknown => {
  const whole = parsed(text)
  const end = text.lastIndexOf('}') + 1
  return whole === notJson && end > 0 && end < text.length ? parsed(text.slice(0, end)) : whole
}

/** Wazuh's parser does not mind the case of names; the first one counts. */
const versionOf = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([name]) => name.toLowerCase() === 'version')?.[1]
}

/** @param said what follows `#!-agent startup ` */
export const startupAnswer = (said: string, { allowHigherVersions, wazuhVersion }: VersionRule): StartupAnswer => {
  const value = firstValue(said)
  if (value === notJson) return { kind: 'ack' }
  const version = versionOf(value)
  if (typeof version !== 'string') return { kind: 'versionMissing', text: versionMissingText }
  if (!allowHigherVersions && isHigherVersion(version, wazuhVersion)) return { kind: 'versionTooHigh', text: versionTooHighText }
  return { kind: 'ack' }
}
