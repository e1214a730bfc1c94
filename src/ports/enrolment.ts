/**
 * The enrolment service (port 1515), as its node needs it, and what it needs of its node. It runs in a thread of its own, because each
 * TLS handshake costs a millisecond; in the simulation on the same virtual clock. All that crosses is plain data.
 * Every call fails with a ClusterError.
 */

import type { ClusterError } from '../base/errors.js'
import type { EnrolmentAnswer, EnrolmentRequest } from '../domain/agents/enrolmentRequest.js'
import type { LogLevel } from './machine.js'

/** Of `<auth>`, with the identity of the node. */
export interface EnrolmentOptions {
  /** The manager's directory. */
  readonly home: string
  readonly isMaster: boolean
  readonly port: number
  /** Of the interface to listen on; all when empty. */
  readonly localIp: string
  readonly ipv6: boolean
  /** Agents get their own address in client.keys, unless they ask otherwise. */
  readonly usesSourceIp: boolean
  /** The password of `etc/authd.pass`; undefined: none is asked for. */
  readonly password: string | undefined
  readonly ciphers: string
  /** PEM. */
  readonly certificate: string
  readonly key: string
  /** PEM: agents must show a certificate of one of these authorities. */
  readonly agentCa: string | undefined
  /** The agent's certificate must name the address that it comes from. */
  readonly verifiesHost: boolean
  readonly wazuhVersion: string
  readonly allowHigherVersions: boolean
  /** No agent may have it. */
  readonly managerName: string
  readonly proxies: readonly string[]
}

/** The same, as a node knows it: what is in files is read at each start of the service, so that a file that was put right is found. */
export interface EnrolmentSettings extends Omit<EnrolmentOptions, 'agentCa' | 'certificate' | 'key' | 'password'> {
  readonly usesPassword: boolean
}

/** What the service asks of its node. */
export interface EnrolmentDesk {
  enrol(request: EnrolmentRequest): Promise<EnrolmentAnswer>
  log(level: LogLevel, message: string): Promise<void>
}

export interface EnrolmentCounts {
  readonly enrolled: number
  readonly refused: number
  /** TLS handshakes that failed or took too long. */
  readonly handshakesFailed: number
}

export interface RunningEnrolment {
  readonly port: number
  counts(): Promise<EnrolmentCounts>
  /** Resolves when it has died. */
  readonly died: Promise<ClusterError>
  stop(): Promise<void>
}

/** Starts the service. Fails with `listenFailed`, and with `configInvalid` for certificates that cannot be used. */
export interface EnrolmentHost {
  start(settings: EnrolmentSettings, desk: EnrolmentDesk): Promise<RunningEnrolment>
}
