/** The real manager on this machine, as the actors need it: its database, its daemons, its framework, and what was taken of them. */
import { TakenJournalFile } from '../../disk/manager/takenJournal.js'
import type { Log } from '../../ports/machine.js'
import type { ManagerPorts } from '../../ports/manager.js'
import { createNodeDisk } from '../machine/nodeDisk.js'
import { type ApiBridgeOptions, createApiBridge } from './apiBridge.js'
import { createManagerDaemons } from './managerDaemons.js'
import { createWazuhDb } from './wazuhDb.js'

export interface ManagerPortsOptions {
  readonly home: string
  readonly log: Log
  /** As the option `api_bridge` has it. */
  readonly apiBridge: ApiBridgeOptions['mode']
}

export const createManagerPorts = ({ apiBridge, home, log }: ManagerPortsOptions): ManagerPorts => {
  const warn = (sentence: string): void => log.warning(sentence)
  return {
    db: createWazuhDb({ home, warn }),
    daemons: createManagerDaemons(home),
    taken: new TakenJournalFile(createNodeDisk(), home, warn),
    bridge: createApiBridge({ home, mode: apiBridge, log }),
  }
}
