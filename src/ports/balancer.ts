/**
 * The load balancer in front of the agents' port, as the HAProxy helper needs it: servers of one backend, each a node of the cluster. HAProxy's
 * runtime socket, its Data Plane API and the simulated one are held to one suite (spec/compliance).
 * Every call fails with a ClusterError: `balancerFailed` when it cannot be reached or refuses, `aborted`.
 */
import type { ClusterError } from '../base/errors.js'
import type { BalancerServer } from '../domain/balancer/balancerServer.js'

export type { BalancerServer } from '../domain/balancer/balancerServer.js'

/** What was found, and made, at the start. */
export interface BalancerOpening {
  /** Of HAProxy, where it says so. */
  readonly version: string | undefined
  /** Names of frontends on the agents' port that are not ours. */
  readonly foreignFrontends: readonly string[]
  /** What an operator should know of the way to it, as sentences. */
  readonly warnings: readonly string[]
  /** Changes are reloads of HAProxy: old processes keep their sessions until the hard stop. */
  readonly reloads: boolean
}

export type ServerChange =
  | { readonly kind: 'add'; readonly name: string; readonly address: string }
  | { readonly kind: 'remove'; readonly name: string }

export interface Balancer {
  /** First of all, and again after a failure: makes sure that the backend is there, and its frontend where it can make one. */
  open(signal: AbortSignal): Promise<BalancerOpening>
  /** In order of their names. */
  servers(signal: AbortSignal): Promise<readonly BalancerServer[]>
  /**
   * Ready, with checks on; once it has resolved the server gets agents as soon as it is up. One that is there with this address is made
   * ready, with another address replaced: its sessions end.
   */
  add(server: Pick<BalancerServer, 'name' | 'address'>, signal: AbortSignal): Promise<void>
  /** Its sessions are ended. Without effect when there is none of this name. */
  remove(name: string, signal: AbortSignal): Promise<void>
  /**
   * Where each change is a reload: these additions and removals as one. What became of each, in their order; one that is refused keeps no other
   * from being made.
   */
  together?(changes: readonly ServerChange[], signal: AbortSignal): Promise<readonly (ClusterError | undefined)[]>
  /** A drained server keeps its sessions and gets no new ones. */
  setState(name: string, state: 'ready' | 'drain', signal: AbortSignal): Promise<void>
  /** Old processes of HAProxy end at the latest this long after a reload; without effect where changes need none. */
  setHardStop(ms: number, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
