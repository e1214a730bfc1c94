/** What operators said of a worker, on its way to it: the master says it at the start of a connection and after each change. */
import type { Link } from '../../ports/link.js'
import type { ServingInput } from '../kit/servingThread.js'
import { type NodeStates, statesCapability } from './nodeStates.js'

export const nodeStateSendInput = (name: string, link: Link, states: NodeStates): ServingInput => ({
  link,
  alongside: () => {
    const send = (): void => {
      if (link.peer.capabilities.includes(statesCapability)) link.notify('node.state', { state: states.stateOf(name) })
    }
    send()
    return states.changed.add(({ node }) => {
      if (node === name) send()
    })
  },
  answers: () => ({}),
})

export const nodeStateFollowInput = (link: Link, states: NodeStates): ServingInput => ({
  link,
  alongside: () => link.subscribe({ 'node.state': ({ state }) => states.follow(state) }),
  answers: () => ({}),
})
