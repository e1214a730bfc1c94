/** What a node says of itself to its master (domain/cluster/nodeReport). */
import { ClusterError } from '../base/errors.js'
import { limits } from '../base/limits.js'
import type { NodeReport } from '../domain/cluster/nodeReport.js'
import { placesOf } from '../domain/listener/listeningPlace.js'
import type { NodeIdentity, NodeParts } from './nodeContext.js'

/** What `<cluster>` of this node says. */
export const ownConfiguration = ({
  address,
  hidden = false,
  master,
  type,
}: Pick<NodeIdentity, 'address' | 'hidden' | 'master' | 'type'>): NodeReport['configuration'] => ({
  ...{ type, port: master.port, nodes: [address], hidden },
  bindAddress: type === 'master' ? master.host : '0.0.0.0',
})

/** Fails with `requestFailed` where nothing is known of the machine. */
export const ownReport = (
  { fronts, identity, meter, ports }: Pick<NodeParts, 'fronts' | 'identity' | 'meter' | 'ports'>,
  isWhole: boolean,
): NodeReport => {
  const { api, enrolment, home, listener } = identity
  const { clock, machine } = ports
  if (!machine) throw new ClusterError('requestFailed', { message: 'This node does not know its configuration files' })
  const services = [
    { process: 'wazuh-clusterd', isOurs: true, isRunning: true },
    { process: 'wazuh-apid', isOurs: api !== undefined, isRunning: fronts.api.running !== undefined },
    { process: 'wazuh-authd', isOurs: enrolment !== undefined, isRunning: fronts.enrolment.running !== undefined },
    { process: 'wazuh-remoted', isOurs: listener !== undefined, isRunning: fronts.listener.running !== undefined },
  ].filter(({ isOurs }) => isOurs)
  const namesOf = (isRunning: boolean) => services.filter((service) => service.isRunning === isRunning).map(({ process }) => process)
  const mistakes = machine.configurationMistakes().slice(0, limits.reportedMistakesMax)
  return {
    home,
    timeZone: machine.timeZone,
    utcOffsetMinutes: machine.utcOffsetMinutes(clock.now()),
    running: namesOf(true),
    stopped: namesOf(false),
    mistakes: mistakes.map((mistake) => mistake.slice(0, limits.errorMessageCharsMax)),
    configuration: ownConfiguration(identity),
    ...(isWhole && {
      agentsDisconnectionMs: identity.timings.agentsDisconnectionMs,
      listening: listener ? placesOf(listener) : [],
      lines: meter.lastLines.newestFirst,
    }),
    ...(api && {
      api: {
        address: api.address,
        port: api.port,
        isSecure: api.certificatePath !== undefined,
        asksForCertificates: api.clientCaPath !== undefined,
        hosts: api.hosts.slice(0, limits.reportedAddressesMax),
      },
    }),
  }
}
