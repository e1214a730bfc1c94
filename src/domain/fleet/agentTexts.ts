/** What an agent says of itself in its start-up, its keep-alives and its answers: to the letter as wazuh-agentd writes it. */

export const shutdownText = '#!-agent shutdown '
export const acknowledgement = '#!-agent ack '
export const forceReconnect = '#!-force_reconnect'

/** `version`: `v4.14.7`. */
export const startUpText = (version: string): string => `#!-agent startup {"version":"${version}"}`

export interface SelfDescription {
  readonly name: string
  readonly version: string
  /** MD5 of its agent.conf; undefined until it has one. */
  readonly configSum: string | undefined
  /** MD5 of its merged.mg, or `x`. */
  readonly mergedSum: string
  readonly labels: readonly (readonly [key: string, value: string])[]
  readonly address: string
}

export const keepAliveText = ({ address, configSum, labels, mergedSum, name, version }: SelfDescription): string =>
  `#!-Linux |${name} |6.1.0-32-amd64 |#1 SMP PREEMPT_DYNAMIC Debian 6.1.129-1 |x86_64 [Debian GNU/Linux|debian: 12 (bookworm)] ` +
  `- Wazuh ${version}${configSum === undefined ? '' : ` / ${configSum}`}\n` +
  labels.map(([key, value]) => `"${key}":${value}\n`).join('') +
  `${mergedSum} merged.mg\n#"_agent_ip":${address}\n`

/** Only a process that has just started says it. */
export const startedText = (name: string, ip: string): string => `1:wazuh-agent:ossec: Agent started: '${name}->${ip}'.`

/** The counter (hexadecimal) and the rest of a `#!-req`. */
export const parseRequest = (text: string): { readonly counter: string; readonly request: string } | undefined => {
  const [, counter, request] = /^#!-req ([0-9a-f]{1,8}) (.*)$/is.exec(text) ?? []
  return counter === undefined || request === undefined ? undefined : { counter, request }
}

export const requestAcknowledgement = (counter: string): string => `#!-req ${counter} ack`

/** What the agent's threads answer: the one configuration that these agents have, and an error to anything else. */
export const answerText = (counter: string, request: string, client: object): string =>
  request === 'agent getconfig client'
    ? `#!-req ${counter} ok ${JSON.stringify({ client })}`
    : `#!-req ${counter} err At agent: Could not get requested section`
