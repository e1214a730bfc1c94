/** The services that agents connect to, of a node in the real world: what they are given, and the threads that they run in. */

import type { NodeIdentity, NodePorts } from './actors/nodeContext.js'
import { ownConfiguration } from './actors/ownReport.js'
import {
  defaultEnrolmentService,
  defaultListenerService,
  type EnrolmentServiceSettings,
  type ListenerServiceSettings,
} from './config/agentServiceOptions.js'
import { type ApiServiceSettings, defaultApiService } from './config/apiOptions.js'
import { loadSettings } from './config/loadSettings.js'
import { defaultInternalSettings } from './config/settings.js'
import type { KeyKind } from './domain/certificates/keyKinds.js'
import { placesOf } from './domain/listener/listeningPlace.js'
import { createThreadApi } from './fronts/threadApi.js'
import { createThreadEnrolment } from './fronts/threadEnrolment.js'
import { createThreadListener } from './fronts/threadListener.js'
import { descriptorLimit } from './platform/machine/descriptorLimit.js'
import { findManager } from './platform/machine/findManager.js'
import type { EventOptions } from './ports/listener.js'
import type { OwnMachine } from './ports/ownMachine.js'

export interface ServiceOptions {
  /** Agents enrol here; what is left out is as in an empty `<auth>` of Wazuh. Without it they cannot. Port 0 takes a free one. */
  readonly enrolment?: Partial<EnrolmentServiceSettings>
  /** Agents report here; what is left out is as in an empty `<remote>` of Wazuh. Without it they cannot. Port 0 takes a free one. */
  readonly listener?: Partial<ListenerServiceSettings>
  /** What is kept of the events of agents. */
  readonly events?: Partial<EventOptions>
  /** A message whose counter is not greater than the previous one is refused; no when left out. */
  readonly verifiesCounters?: boolean
  /** Load balancers, by address or network, whose connections begin with a header of the PROXY protocol. */
  readonly proxies?: readonly string[]
  /** API, health, metrics and page over HTTP; what is left out is as in `api` of cluster.json. Port 0 takes a free one. */
  readonly api?: Partial<ApiServiceSettings>
  /** Events do not say which cluster and node they came through. */
  readonly hidden?: boolean
}

type Node = Pick<
  NodeIdentity,
  'address' | 'cluster' | 'home' | 'managerName' | 'master' | 'node' | 'timings' | 'type' | 'version' | 'wazuhVersion'
>

/** Of the files that a process may have open; the rest is for the cluster. */
const connectionsShare = 0.6
const connectionsMin = 64

export const servicesOf = (
  { api, enrolment, events, hidden = false, listener, proxies = [], verifiesCounters = false }: ServiceOptions,
  { address, cluster, home, managerName, master, node, timings, type, version, wazuhVersion }: Node,
): Pick<NodeIdentity, 'api' | 'enrolment' | 'listener'> => ({
  ...(api && {
    api: {
      ...{ cluster, home, node, type, version, wazuhVersion, ...defaultApiService, ...api },
      requestMsMax: timings.requestTimeoutMs,
      agentsDisconnectionMs: timings.agentsDisconnectionMs,
      listening: listener ? placesOf({ ...defaultListenerService, ...listener }) : [],
      configuration: ownConfiguration({ address, hidden, master, type }),
    },
  }),
  ...(listener && {
    listener: {
      ...{ cluster, home, managerName, node, wazuhVersion, hidden, proxies, verifiesCounters },
      ...{ ...defaultListenerService, ...listener },
      connectionsMax: Math.max(connectionsMin, Math.floor(Math.min(descriptorLimit(), 2 ** 31) * connectionsShare)),
      events: eventsOf(events),
    },
  }),
  ...(enrolment && { enrolment: { ...enrolmentOf(enrolment), home, managerName, wazuhVersion, proxies, isMaster: type === 'master' } }),
})

const eventsOf = (given: Partial<EventOptions> | undefined): EventOptions => {
  const events = { ...defaultInternalSettings.events, ...given }
  return { ...events, segmentBytesMax: Math.min(events.segmentBytesMax, Math.floor(events.bytesMax / 2)) }
}

const enrolmentOf = (given: Partial<EnrolmentServiceSettings>) => {
  const { allowHigherVersions, ciphers, ipv6, port, usesPassword, usesSourceIp, verifiesHost } = { ...defaultEnrolmentService, ...given }
  return { allowHigherVersions, ciphers, ipv6, port, usesPassword, usesSourceIp, verifiesHost, localIp: '' }
}

export const ownMachine = (home: string): OwnMachine => ({
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  utcOffsetMinutes: (nowMs) => -new Date(nowMs).getTimezoneOffset(),
  configurationMistakes: () => {
    const loaded = loadSettings({ home, hasManager: (of) => findManager(of) !== undefined })
    return loaded.ok ? [] : loaded.mistakes
  },
})

/** Their threads, where a node has them. */
export const realHosts = (
  { api, enrolment, listener }: ServiceOptions,
  home: string,
): Pick<NodePorts, 'api' | 'enrolment' | 'listener'> => {
  const { agentCaPath, certificatePath, ciphers, keyPath, usesPassword } = { ...defaultEnrolmentService, ...enrolment }
  // An operator's own list may have ciphers for RSA only.
  const keyKind: KeyKind = ciphers === defaultEnrolmentService.ciphers ? 'p256' : 'rsa2048'
  const files = { home, certificatePath, keyPath, usesPassword, keyKind, ...(agentCaPath !== '' && { agentCaPath }) }
  return {
    ...(api && { api: createThreadApi() }),
    ...(listener && { listener: createThreadListener() }),
    ...(enrolment && { enrolment: createThreadEnrolment({ files }) }),
  }
}
