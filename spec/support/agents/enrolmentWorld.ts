/** An enrolment service over a network in memory, on a virtual clock, with a master of the test behind it. */
import { EnrolmentServer } from '../../../src/actors/enrolment/enrolmentServer.js'
import type { EnrolmentDesk, EnrolmentOptions } from '../../../src/ports/enrolment.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { MemoryTls, type MemoryTlsClient } from './memoryTls.js'

export const enrolmentPort = 1515

export const enrolmentOptions: EnrolmentOptions = {
  home: '/var/ossec',
  isMaster: true,
  port: enrolmentPort,
  localIp: '',
  ipv6: false,
  usesSourceIp: false,
  password: undefined,
  ciphers: 'HIGH:!ADH:!EXP:!MD5:!RC4:!3DES:!CAMELLIA:@STRENGTH',
  certificate: '',
  key: '',
  agentCa: undefined,
  verifiesHost: false,
  wazuhVersion: '4.14.7',
  allowHigherVersions: false,
  managerName: 'vm',
  proxies: [],
}

export class EnrolmentWorld {
  readonly clock = new VirtualClock()
  readonly network = new MemoryTls()
  readonly lines: string[] = []
  readonly server: EnrolmentServer
  /** Of the next agent. */
  nextKey = '00'.repeat(32)

  constructor(options: Partial<EnrolmentOptions>, desk: Pick<EnrolmentDesk, 'enrol'>) {
    this.server = new EnrolmentServer({
      options: { ...enrolmentOptions, ...options },
      network: this.network,
      clock: this.clock,
      random: { bytes: () => Buffer.from(this.nextKey, 'hex'), fraction: () => 0 },
      desk: {
        enrol: (request) => desk.enrol(request),
        log: async (level, line) => {
          this.lines.push(`${level} ${line}`)
        },
      },
    })
  }

  static async started(options: Partial<EnrolmentOptions>, desk: Pick<EnrolmentDesk, 'enrol'>): Promise<EnrolmentWorld> {
    const world = new EnrolmentWorld(options, desk)
    await world.server.start()
    return world
  }

  dial(address = '127.0.0.1'): Promise<MemoryTlsClient> {
    return this.network.dial(enrolmentPort, address)
  }

  /** What comes of one line. */
  async exchange(text: string, address?: string): Promise<MemoryTlsClient> {
    const client = await this.dial(address)
    client.send(text)
    await this.clock.advance(1)
    return client
  }
}
