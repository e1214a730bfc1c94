/** Realistic files of a manager: rules, decoders, lists, policies, groups, keys. The same at each call, except the keys. */
import { createHash, randomBytes } from 'node:crypto'

export interface ManagerFile {
  readonly path: string
  readonly content: string
}

const services = (
  'sshd nginx apache postfix dovecot mysql postgresql mariadb vsftpd proftpd sudo haproxy openvpn wireguard fortigate cisco-asa paloalto ' +
  'checkpoint pfsense mikrotik okta keycloak gitlab jenkins docker kubernetes vault consul rabbitmq kafka redis mongodb elastic squid bind ' +
  'unbound chrony auditd samba freeipa zabbix grafana nextcloud wordpress tomcat iis exchange'
).split(' ')

interface Topic {
  readonly name: string
  readonly rules: readonly (readonly [level: number, match: string, says: string, groups: string])[]
}

const topics: readonly Topic[] = [
  {
    name: 'authentication',
    rules: [
      [3, 'session opened|login accepted', 'login succeeded', 'authentication_success,pci_dss_10.2.5'],
      [5, 'authentication failure|invalid user', 'login failed', 'authentication_failed,pci_dss_10.2.4'],
      [10, 'too many authentication failures', 'brute force attempt', 'authentication_failures,mitre_t1110'],
    ],
  },
  {
    name: 'availability',
    rules: [
      [3, 'service started|ready to accept', 'service started', 'service_availability'],
      [7, 'service stopped|terminated unexpectedly', 'service stopped', 'service_availability'],
      [12, 'out of memory|no space left', 'resources exhausted', 'service_availability,gdpr_IV_35.7.d'],
    ],
  },
  {
    name: 'policy',
    rules: [
      [5, 'configuration changed', 'configuration changed', 'policy_changed,pci_dss_10.2.7'],
      [8, 'privilege escalation|role changed', 'privileges changed', 'policy_changed,mitre_t1078'],
    ],
  },
]

const ruleFile = (service: string, topic: Topic, firstId: number): string => {
  const rules = topic.rules.map(
    ([level, match, says, groups], index) => `  <rule id="${firstId + index + 1}" level="${level}">
    <if_sid>${firstId}</if_sid>
    <match>${match}</match>
    <description>${service}: ${says}.</description>
    <group>${groups},</group>
  </rule>`,
  )
  return `<!-- Local rules for ${service}: ${topic.name}. -->
<group name="local,${service},${topic.name},">
  <rule id="${firstId}" level="0">
    <decoded_as>${service}</decoded_as>
    <description>${service} messages grouped.</description>
  </rule>

${rules.join('\n\n')}
</group>
`
}

const decoderFile = (service: string): string => `<!-- Decoders for ${service}. -->
<decoder name="${service}">
  <program_name>^${service}</program_name>
</decoder>

<decoder name="${service}-login">
  <parent>${service}</parent>
  <prematch>user=</prematch>
  <regex offset="after_parent">user=(\\S+) src=(\\S+) port=(\\d+)</regex>
  <order>user, srcip, srcport</order>
</decoder>
`

const listFile = (index: number): string =>
  Array.from({ length: 200 }, (_, row) => `10.${index}.${row}.${(row * 7) % 256}:${row % 3 === 0 ? 'malicious' : 'suspicious'}\n`).join('')

const policyFile = (name: string, firstId: number): string => `policy:
  id: "${name}"
  file: "${name}.yml"
  name: "Baseline of ${name.replaceAll('_', ' ')}"
  description: "Checks that every ${name} has to pass."

checks:
${[0, 1, 2]
  .map(
    (index) => `  - id: ${firstId + index}
    title: "Ensure that setting ${index + 1} is hardened"
    rationale: "Defaults are made for convenience."
    remediation: "Set it in /etc/${name}.conf."
    condition: all
    rules:
      - 'f:/etc/${name}.conf -> r:^setting_${index + 1} = on'`,
  )
  .join('\n')}
`

const agentConf = (group: string): string => `<agent_config>
  <labels>
    <label key="group">${group}</label>
  </labels>
  <localfile>
    <log_format>syslog</log_format>
    <location>/var/log/${group}/*.log</location>
  </localfile>
  <syscheck>
    <directories realtime="yes">/etc/${group}</directories>
  </syscheck>
</agent_config>
`

/** As the manager merges the files of a group for its agents. */
const merged = (group: string, parts: readonly (readonly [name: string, content: string])[]): string =>
  `#${group}\n${parts.map(([name, content]) => `!${Buffer.byteLength(content)} ${name}\n${content}`).join('')}`

const roles = 'web database mail proxy vpn windows linux macos dmz payroll development laptops servers containers printers cameras'.split(
  ' ',
)

const groupFiles = (group: string): ManagerFile[] => {
  const conf = agentConf(group)
  return [
    { path: `etc/shared/${group}/agent.conf`, content: conf },
    { path: `etc/shared/${group}/merged.mg`, content: merged(group, [['agent.conf', conf]]) },
  ]
}

const multigroupFile = (one: string, other: string): ManagerFile => ({
  path: `var/multigroups/${createHash('sha256').update(`${one},${other}`).digest('hex').slice(0, 8)}/merged.mg`,
  content: merged(`${one},${other}`, [['agent.conf', agentConf(one) + agentConf(other)]]),
})

const clientKeys = (): string =>
  Array.from(
    { length: 400 },
    (_, index) =>
      `${String(index + 1).padStart(3, '0')} ${roles[index % roles.length] ?? 'agent'}-${index + 1} any ${randomBytes(32).toString('hex')}\n`,
  ).join('')

export const managerFiles = (): readonly ManagerFile[] => [
  ...services.flatMap((service, at) =>
    topics.map((topic, topicAt) => ({
      path: `etc/rules/${service}_${topic.name}_rules.xml`,
      content: ruleFile(service, topic, 100_000 + at * 100 + topicAt * 10),
    })),
  ),
  ...services.map((service) => ({ path: `etc/decoders/${service}_decoders.xml`, content: decoderFile(service) })),
  ...Array.from({ length: 16 }, (_, index) => ({ path: `etc/lists/threats/feed-${index + 1}`, content: listFile(index) })),
  ...roles.map((role, index) => ({ path: `etc/sca/${role}.yml`, content: policyFile(role, 50_000 + index * 10) })),
  ...['default', ...roles].flatMap(groupFiles),
  ...roles.slice(1).map((role, index) => multigroupFile(roles[index] ?? 'default', role)),
  { path: 'etc/client.keys', content: clientKeys() },
]

/** A large CDB list of hashes, different at each call. */
export const hashList = (rows: number): string => {
  const digits = randomBytes(rows * 16).toString('hex')
  const lines: string[] = []
  for (let at = 0; at < digits.length; at += 32) lines.push(`${digits.slice(at, at + 32)}:malware\n`)
  return lines.join('')
}
