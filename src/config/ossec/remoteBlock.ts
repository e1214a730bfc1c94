/** The `<remote>` blocks of an ossec.conf: where agents report to this node. Each is a port of its own; those for syslog are not ours. */
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

const isSamePlace = (a: ListenerServiceSettings, b: ListenerServiceSettings): boolean =>
  a.port === b.port && a.localIp === b.localIp && a.ipv6 === b.ipv6

/** Blocks for the same port are one, over the protocols of all of them. Undefined: there is none for agents. */
export const readRemoteBlocks = (
  file: string,
  blocks: readonly (readonly Element[])[],
  findings: Findings,
): ListenerServiceSettings | undefined => {
  const read = blocks.map((elements) => readOne(new BlockValues(file, '<remote>', elements, findings)))
  const [first, ...others] = read.filter((block) => block !== undefined)
  if (!first) return undefined
  const other = others.find((block) => !isSamePlace(first, block))
  if (other)
    findings.mistakes.push(
      `${file}: <remote><${remoteOptions.port.name}> is ${first.port} in one block with the connection "secure" and ${other.port} in another one, or their addresses differ: must be the same port and address in all of them`,
    )
  const all = [first, ...others]
  return {
    ...first,
    transports: (['tcp', 'udp'] as const).filter((transport) => all.some(({ transports }) => transports.includes(transport))),
    allowHigherVersions: all.some((block) => block.allowHigherVersions),
  }
}
