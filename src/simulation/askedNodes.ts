/** What operators of a simulated cluster ask of its nodes, and what they learn of it: a node that dies never answers. */
import type { RunningNode } from '../actors/node.js'
import { ClusterError, type ErrorCode } from '../base/errors.js'
import type { SimulatedNode } from './simulatedNode.js'

/** `refused`: nothing was done; `unknown`: it may have been, or may still be. */
export type Outcome<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'refused' | 'unknown' }

export class AskedNodes {
  readonly #node: (name: string) => SimulatedNode
  /** By node, who waits for an answer of its process. */
  readonly #asking = new Map<string, Set<() => void>>()
  /** Not answered yet. */
  pending = 0

  constructor(node: (name: string) => SimulatedNode) {
    this.#node = node
  }

  /** @param refusals codes that say that nothing was done */
  ask<T>(
    name: string,
    refusals: readonly ErrorCode[],
    act: (running: RunningNode, signal: AbortSignal) => Promise<T>,
  ): Promise<Outcome<T>> {
    const { clock, running } = this.#node(name)
    if (!running || clock.isFrozen) return Promise.resolve({ kind: 'refused' })
    const asking = this.#asking.get(name) ?? new Set()
    this.#asking.set(name, asking)
    this.pending += 1
    return new Promise((resolve) => {
      let isOver = false
      const over = (outcome: Outcome<T>): void => {
        if (isOver) return
        isOver = true
        this.pending -= 1
        asking.delete(unanswered)
        resolve(outcome)
      }
      const unanswered = (): void => over({ kind: 'unknown' })
      asking.add(unanswered)
      const isRefusal = (thrown: unknown): boolean => thrown instanceof ClusterError && refusals.includes(thrown.code)
      const attempt = async (): Promise<T> => act(running, new AbortController().signal)
      attempt().then(
        (value) => over({ kind: 'done', value }),
        (thrown: unknown) => over({ kind: isRefusal(thrown) ? 'refused' : 'unknown' }),
      )
    })
  }

  /** Its process is gone; what was asked of it is never answered. */
  gone(name: string): void {
    for (const unanswered of this.#asking.get(name) ?? []) unanswered()
  }
}
