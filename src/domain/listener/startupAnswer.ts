/** What a start-up is answered: the version decides. An agent that says none, as OSSEC's, is let in. */
import { isHigherVersion } from '../enrolment/agentVersion.js'

export type StartupAnswer = 'ack' | 'versionMissing' | 'versionTooHigh'

export interface VersionRule {
  readonly wazuhVersion: string
  readonly allowHigherVersions: boolean
}

export interface SaidVersion {
  readonly version?: string
  /** What it said should have had a version. */
  readonly lacksVersion: boolean
}

export const startupAnswer = (said: SaidVersion, { allowHigherVersions, wazuhVersion }: VersionRule): StartupAnswer => {
  if (said.lacksVersion) return 'versionMissing'
  if (said.version === undefined || allowHigherVersions || !isHigherVersion(said.version, wazuhVersion)) return 'ack'
  return 'versionTooHigh'
}
