/** The options of `npm run bench` and `npm run soak`. */
import { type Command, InvalidArgumentError } from 'commander'
import { numberArgument, toolCommand } from '../src/programs/kit/toolOptions.js'

export interface BenchOptions {
  readonly json?: string
  readonly only?: RegExp
}

export const benchCommand = (): Command =>
  toolCommand('bench', 'Measures each row and prints them in one table. A missed target is marked, and is not a failure.')
    .option('--only <regex>', 'the rows whose names match, in any case', (text: string) => {
      try {
        return new RegExp(text, 'i')
      } catch {
        throw new InvalidArgumentError('Allowed is a regular expression.')
      }
    })
    .option('--json <file>', 'write the figures to this file too')

export interface SoakOptions {
  readonly minutes: number
  readonly seed: string
  readonly program?: string
}

export const soakCommand = (): Command =>
  toolCommand('soak', 'Runs three real daemons under random edits, restarts and kills, and compares their trees and memory.')
    .option('--minutes <count>', 'how long it goes on', numberArgument(0.01, 100_000, false), 60)
    .option('--seed <text>', 'decides what is edited, restarted and killed', '1')
    .option('--program <file>', 'the daemon to run, in place of the one in dist/')
