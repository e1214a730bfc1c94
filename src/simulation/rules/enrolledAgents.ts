/**
 * The simplest possible registry of a simulation's agents: who was enrolled and removed for certain, who perhaps, and which
 * lists of groups each may have.
 */
import { changedGroups, defaultGroup, type GroupsChange } from '../../domain/agents/groups.js'

export interface EnrolledAgent {
  readonly id: number
  readonly name: string
  /** A caller got the answer that it is removed. */
  isRemoved: boolean
  /** Commands to remove it of which nobody knows what became. */
  suspectRemovals: number
  /** It speaks the real protocol, so that no model knows what is reported of it. */
  readonly isReal: boolean
  /** Lists of groups that it may have; `undefined`: any. */
  groups: ReadonlySet<string> | undefined
}

const possibleListsMax = 64
const listOf = (text: string): readonly string[] => (text === '' ? [] : text.split(','))

export class EnrolledAgents {
  readonly #agents = new Map<number, EnrolledAgent>()
  /** Asked for, and not answered. */
  readonly #askedFor = new Set<string>()
  /** Names of agents that ask for their keys themselves. */
  readonly #real = new Set<string>()
  #names = 0

  get all(): readonly EnrolledAgent[] {
    return [...this.#agents.values()]
  }

  get(id: number): EnrolledAgent | undefined {
    return this.#agents.get(id)
  }

  /** How many were given out. */
  get names(): number {
    return this.#names
  }

  nextName(): string {
    const name = `agent-${++this.#names}`
    this.#askedFor.add(name)
    return name
  }

  /** An operator wrote it into client.keys by hand. */
  written(name: string): void {
    this.#askedFor.add(name)
  }

  /** An agent asks for a key; where it has one that the agent never got, it may be replaced. */
  asksItself(name: string): void {
    this.#askedFor.add(name)
    this.#real.add(name)
    for (const agent of this.#agents.values()) if (agent.name === name) agent.suspectRemovals += 1
  }

  notEnrolled(name: string): void {
    this.#askedFor.delete(name)
  }

  /** Returns what is wrong with it, if anything: an ID is given out once, whatever became of its agent. */
  enrolled(name: string, id: number): string | undefined {
    const before = this.#agents.get(id)
    if (before) return before.name === name ? undefined : `${name} got the ID ${id} of ${before.name}`
    if (!this.#askedFor.delete(name)) return `${name}, with the ID ${id}, is nobody who was enrolled`
    const isReal = this.#real.has(name)
    this.#agents.set(id, { id, name, isRemoved: false, suspectRemovals: 0, isReal, groups: isReal ? undefined : new Set(['']) })
    return undefined
  }

  /** An agent that reported gets the default group when it has none. */
  heardOf(id: number): void {
    const agent = this.#agents.get(id)
    if (agent?.groups?.has('')) agent.groups = new Set([...agent.groups, defaultGroup])
  }

  /** @param isCertain it happened; else it may have */
  changed(change: GroupsChange, isCertain: boolean): void {
    const ids = change.kind === 'dissolve' ? this.#agents.keys() : change.ids
    for (const id of ids) {
      const agent = this.#agents.get(id)
      if (!agent) continue
      if (change.kind === 'replace' && isCertain) agent.groups = new Set([changedGroups([], change).join()])
      if (!agent.groups) continue
      const after = [...agent.groups].map((groups) => changedGroups(listOf(groups), change).join())
      const possible = new Set(isCertain ? after : [...agent.groups, ...after])
      agent.groups = possible.size > possibleListsMax ? undefined : possible
    }
  }
}
