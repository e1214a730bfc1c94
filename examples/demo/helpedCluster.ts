/** A HAProxy in front of a cluster whose master drives it by its runtime socket: the example, with the addresses and ports of this cluster. */
import { HaproxyProcess } from './haproxyProcess.js'
import { freePort } from './nodeHome.js'
import type { ProcessCluster } from './processCluster.js'

export interface HelpedClusterOptions {
  /** Prepared, with listeners on addresses of their own; the first of the nodes is the master. */
  readonly cluster: ProcessCluster
  readonly nodes: readonly string[]
  /** The text of examples/load-balancing/haproxy-runtime.cfg. */
  readonly example: string
  readonly connectionsMax: number
  /** Elements of the `<haproxy_helper>`. */
  readonly helper: Readonly<Record<string, string>>
}

/** Where agents reach it, on this machine. */
interface FrontPorts {
  readonly reporting: number
  readonly register: number
}

export class HelpedCluster {
  readonly haproxy: HaproxyProcess
  readonly ports: FrontPorts

  private constructor(haproxy: HaproxyProcess, ports: FrontPorts) {
    this.haproxy = haproxy
    this.ports = ports
  }

  /** Configures the master; starts nothing. */
  static async prepare(options: HelpedClusterOptions): Promise<HelpedCluster> {
    const { cluster, helper, nodes } = options
    const ports = { reporting: await freePort(), register: await freePort() }
    const haproxy = new HaproxyProcess(configurationOf(options, ports))
    const elements = Object.entries({ haproxy_disabled: 'no', ...helper }).map(([name, value]) => `\n      <${name}>${value}</${name}>`)
    const addresses = Object.fromEntries(nodes.map((name) => [name, cluster.agentPorts(name).address]))
    cluster.configure(nodes[0] ?? '', {
      clusterBlock: `\n    <haproxy_helper>${elements.join('')}\n    </haproxy_helper>`,
      clusterJson: { haproxy: { runtime_socket: haproxy.socket, addresses } },
    })
    return new HelpedCluster(haproxy, ports)
  }

  /** Flags of muster-agents. */
  get agentFlags(): readonly string[] {
    return ['--servers', `127.0.0.1:${this.ports.reporting}`, '--enrol', '--enrol-port', String(this.ports.register)]
  }
}

/** HaproxyProcess has a runtime socket of its own. */
const configurationOf = (
  { cluster, connectionsMax, example, nodes }: HelpedClusterOptions,
  { register, reporting }: FrontPorts,
): string => {
  let text = example
    .replace(/^global$/m, '')
    .replace(/^ *stats socket .*$/gm, '')
    .replace('maxconn 20000', `maxconn ${connectionsMax}`)
    .replace('*:1514', `127.0.0.1:${reporting}`)
    .replace('*:1515', `127.0.0.1:${register}`)
  for (const [index, name] of nodes.entries())
    text = text.replace(`10.0.0.${index + 1}:1515`, `127.0.0.1:${cluster.agentPorts(name).enrolment}`)
  return text
}
