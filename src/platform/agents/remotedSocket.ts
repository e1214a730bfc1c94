/** wazuh-remoted by its socket of datagrams, which holds a few messages only: what finds no room waits a little. */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ClusterError } from '../../base/errors.js'
import type { Remoted } from '../../ports/remoted.js'
import { reconnectMessage } from '../../wire/agents/remotedMessage.js'
import { realClock } from '../machine/realClock.js'

const socketPath = 'queue/alerts/ar'
const fullWaitMs = 5
/** Of all messages of one call. */
const fullMsMax = 10_000

const refused = (why: string): ClusterError =>
  new ClusterError('requestFailed', { message: `wazuh-remoted takes no messages at ${socketPath}: ${why}` })

export const createRemoted = (home: string): Remoted => ({
  reconnect: async (ids) => {
    // Its library of system calls is loaded where it is needed only.
    const { openLocalDatagrams } = await import('../net/unixDatagrams.js')
    let why = 'it does not run'
    const socket = openLocalDatagrams(join(home, socketPath), realClock, (sentence) => {
      why = sentence
    })
    try {
      const endMs = realClock.monotonicMs() + fullMsMax
      let taken = 0
      for (const id of ids) {
        let outcome = socket.send(reconnectMessage(id))
        while (outcome === 'full' && realClock.monotonicMs() < endMs) {
          await wait(fullWaitMs)
          outcome = socket.send(reconnectMessage(id))
        }
        if (outcome === 'sent') taken += 1
        else if (taken === 0) throw refused(outcome === 'full' ? 'it is too slow' : why)
        else break
      }
      return taken
    } finally {
      socket.close()
    }
  },
})
