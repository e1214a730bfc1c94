/** The thread of a connection that carries out what the peer's manager asks for; a node without a manager has none. */
import type { Clock } from '../../ports/machine.js'
import { answering, type Connected, type ConnectionThread } from '../cluster/connection.js'
import { type CarriedLoad, type CarriedWork, carriedAnswersInput } from './carriedAnswers.js'

/** What peers have carried out here. */
export interface Carried {
  readonly load: CarriedLoad
  readonly work: CarriedWork
}

export const carryThreads = <C extends Connected>(carried: Carried | undefined, clock: Clock): readonly ConnectionThread<C>[] =>
  carried ? [answering('carry', ({ link, log }) => carriedAnswersInput({ ...carried, link, clock, log }))] : []
