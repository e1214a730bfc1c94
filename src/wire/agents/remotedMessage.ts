/** What a program of a manager has wazuh-remoted do, by a datagram to its socket `queue/alerts/ar`. */
import { agentIdText } from '../../domain/agents/agent.js'

/** Asks one agent to reconnect: to it alone (`S`), wherever it is, as Wazuh writes it. */
export const reconnectMessage = (id: number): Buffer => Buffer.from(`(msg_to_agent) [] N!S ${agentIdText(id)} force_reconnect`)
