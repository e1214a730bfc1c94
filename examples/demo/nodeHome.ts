/** A manager's home directory with the configuration of one node in it. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'

export interface NodeHome {
  readonly home: string
  readonly name: string
  readonly type: 'master' | 'worker'
  readonly port: number
  readonly key: string
  readonly previousKey?: string | undefined
  /** Agents connect to this node, at these ports. */
  readonly agentPorts?: AgentPorts | undefined
  /** Elements for its `<cluster>` besides the usual ones. */
  readonly clusterBlock?: string | undefined
  /** For etc/cluster.json, in addition to the previous key; no such file when both are left out. */
  readonly clusterJson?: object | undefined
}

/** Where agents report and where they enrol. */
export interface AgentPorts {
  /** Where the listener is; on all addresses when left out. */
  readonly address?: string
  readonly listener: number
  readonly enrolment: number
}

const host = '127.0.0.1'

const agentBlocks = ({ address, enrolment, listener }: AgentPorts): string => `
  <auth>
    <disabled>no</disabled>
    <port>${enrolment}</port>
  </auth>
  <remote>
    <connection>secure</connection>
    <port>${listener}</port>
    <protocol>tcp,udp</protocol>${address === undefined ? '' : `\n    <local_ip>${address}</local_ip>`}
  </remote>`

const ossecConf = ({ agentPorts, clusterBlock = '', key, name, port, type }: NodeHome): string => `<ossec_config>
  <cluster>
    <name>wazuh</name>
    <node_name>${name}</node_name>
    <node_type>${type}</node_type>
    <key>${key}</key>
    <port>${port}</port>
    <bind_addr>${host}</bind_addr>
    <nodes>
      <node>${host}</node>
    </nodes>
    <hidden>no</hidden>
    <disabled>no</disabled>${clusterBlock}
  </cluster>${agentPorts ? agentBlocks(agentPorts) : ''}
</ossec_config>
`

const directories = ['etc/rules', 'etc/decoders', 'etc/lists', 'etc/sca', 'etc/shared', 'var/multigroups', 'queue']

/** Makes the directories that a manager has, and writes or rewrites the configuration. */
export const writeNodeHome = (node: NodeHome): void => {
  const { clusterJson, previousKey } = node
  for (const directory of directories) mkdirSync(join(node.home, directory), { recursive: true })
  writeFileSync(join(node.home, 'etc/ossec.conf'), ossecConf(node), { mode: 0o640 })
  const jsonFile = join(node.home, 'etc/cluster.json')
  const json = { ...clusterJson, ...(previousKey === undefined ? {} : { previous_key: previousKey }) }
  if (clusterJson || previousKey !== undefined) writeFileSync(jsonFile, `${JSON.stringify(json, undefined, 2)}\n`, { mode: 0o640 })
  else rmSync(jsonFile, { force: true })
}

/** Writes a file below the home, and creates its directories. */
export const writeBelow = (home: string, path: string, content: string | Uint8Array, mode = 0o660): void => {
  const whole = join(home, path)
  mkdirSync(dirname(whole), { recursive: true })
  writeFileSync(whole, content, { mode })
}

/** Writes a file as careful tools do: no reader ever sees half of it. */
export const replaceBelow = (home: string, path: string, content: string | Uint8Array): void => {
  writeBelow(home, `${path}.tmp`, content)
  renameSync(join(home, `${path}.tmp`), join(home, path))
}

/** A port of this machine, over 1024, that is free at the moment. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, host, () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('There is no free port'))))
    })
  })
