/** The `<remote>` blocks of an ossec.conf: where agents report to this node. Each is a port of its own; those for syslog are not ours. */
import { limits } from '../../base/limits.js'
import type { ListeningPlace } from '../../domain/listener/listeningPlace.js'
import type { AgentTransport } from '../../ports/listener.js'
import { type ListenerServiceSettings, remoteOptions, transportsIn } from '../agentServiceOptions.js'
import type { Findings } from '../option.js'
import { BlockValues } from './blockValues.js'
import type { Element } from './ossecConf.js'

/** What Wazuh 4.14 knows in `<remote>` besides remoteOptions. */
const needlessNames = ['connection_overtake_time', 'allowed-ips', 'denied-ips']
const names = Object.values(remoteOptions).map(({ name }) => name)

const warnOfProtocols = (values: BlockValues, text: string): void => {
  for (const word of text.split(','))
    if (transportsIn(word).length === 0)
      values.warn(
        `<${remoteOptions.protocol.name}> names ${JSON.stringify(word.trim().slice(0, 100))}, which is ignored: must be tcp or udp`,
      )
}

const readOne = (values: BlockValues): ListenerServiceSettings | undefined => {
  const connection = values.value(remoteOptions.connection)
  values.reportOthers(names, needlessNames)
  if (connection === 'syslog') {
    values.note(' has the connection "syslog", which is left to Wazuh: lines of syslog are not taken here')
    return undefined
  }
  values.value(remoteOptions.queueSize)
  values.value(remoteOptions.ridsClosingTime)
  const protocol = values.value(remoteOptions.protocol)
  warnOfProtocols(values, protocol)
  return {
    port: values.value(remoteOptions.port),
    transports: transportsIn(protocol),
    localIp: values.value(remoteOptions.localIp),
    ipv6: values.value(remoteOptions.ipv6),
    allowHigherVersions: values.value(remoteOptions.allowHigherVersions),
  }
}

const isSamePlace = (a: ListeningPlace, b: ListeningPlace): boolean => a.port === b.port && a.localIp === b.localIp && a.ipv6 === b.ipv6

const both = (...lists: readonly (readonly AgentTransport[])[]): readonly AgentTransport[] =>
  (['tcp', 'udp'] as const).filter((transport) => lists.some((list) => list.includes(transport)))

/** Blocks for the same place are one, over the protocols of all of them. */
const placesIn = (blocks: readonly ListeningPlace[]): readonly ListeningPlace[] => {
  const places: ListeningPlace[] = []
  for (const { ipv6, localIp, port, transports } of blocks) {
    const at = places.findIndex((place) => isSamePlace(place, { ipv6, localIp, port, transports }))
    const known = places[at]
    if (known) places[at] = { ...known, transports: both(known.transports, transports) }
    else places.push({ port, transports, localIp, ipv6 })
  }
  return places
}

const families = ({ ipv6, localIp }: ListeningPlace): readonly (4 | 6)[] =>
  localIp === '' ? (ipv6 ? [4, 6] : [4]) : [localIp.includes(':') ? 6 : 4]

/** Over what the machine could not listen at both. */
const sharedTransport = (a: ListeningPlace, b: ListeningPlace): AgentTransport | undefined => {
  const isApart = a.port !== b.port || (a.localIp !== b.localIp && a.localIp !== '' && b.localIp !== '')
  if (isApart || !families(a).some((family) => families(b).includes(family))) return undefined
  return a.transports.find((transport) => b.transports.includes(transport))
}

const addressText = ({ ipv6, localIp }: ListeningPlace): string => localIp || (ipv6 ? 'all addresses, IPv6 too' : 'all addresses')

const reportOverlaps = (file: string, places: readonly ListeningPlace[], { mistakes }: Findings): void => {
  for (const [index, place] of places.entries())
    for (const other of places.slice(0, index)) {
      const transport = sharedTransport(other, place)
      if (transport)
        mistakes.push(
          `${file}: two <remote> blocks are for port ${place.port}/${transport.toUpperCase()}, one on ${addressText(other)} and one on ${addressText(place)}: must be another <${remoteOptions.port.name}>, or another address in each <${remoteOptions.localIp.name}>`,
        )
    }
}

/** Undefined: there is none for agents. */
export const readRemoteBlocks = (
  file: string,
  blocks: readonly (readonly Element[])[],
  findings: Findings,
): ListenerServiceSettings | undefined => {
  const read = blocks
    .map((elements) => readOne(new BlockValues(file, '<remote>', elements, findings)))
    .filter((block) => block !== undefined)
  const places = placesIn(read)
  const [first, ...further] = places
  if (!first) return undefined
  if (places.length > limits.listeningPlacesMax)
    findings.mistakes.push(
      `${file}: ${places.length} different places are in <remote> blocks with the connection "secure": must be ${limits.listeningPlacesMax} at most`,
    )
  else reportOverlaps(file, places, findings)
  return {
    ...first,
    ...(further.length > 0 && { further }),
    allowHigherVersions: read.some((block) => block.allowHigherVersions),
  }
}
