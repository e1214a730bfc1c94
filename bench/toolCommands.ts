/** The options of `npm run bench`, `npm run soak`, `npm run account`, `npm run balancing` and `npm run fuzz`. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { numberArgument, toolCommand } from '../src/programs/kit/toolOptions.js'
import { type CurveName, curveNames } from './growth/curves.js'

export interface BenchOptions {
  readonly json?: string
  readonly only?: RegExp
  /** `true` means all curves. */
  readonly growth?: CurveName | true
  readonly upto?: number
  readonly all?: true
  readonly scale?: number
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
    .option('--all', 'the rows marked (slow) too: each takes over a minute, and is left out unless --only or --all asks for it')
    .option(
      '--scale <share>',
      'a share of the sizes of the rows marked (slow) and of the simulation, to see that they work',
      numberArgument(0.0001, 1, false),
    )
    .option('--json <file>', 'write the figures of the rows to this file too')
    .addOption(
      new Option('--growth [curve]', 'measure how costs grow instead of the rows: each point, and the exponent of each cost').choices(
        curveNames,
      ),
    )
    .option('--upto <count>', 'with --growth, the largest count that is measured', numberArgument(1, 1_000_000, true))

export interface SoakOptions {
  readonly minutes: number
  readonly seed: string
  readonly program?: string
}

export const soakCommand = (): Command =>
  toolCommand('soak', 'Runs three real daemons under random edits, restarts and kills, and compares their trees and memory.')
    .option('--minutes <count>', 'how long it runs', numberArgument(0.01, 100_000, false), 60)
    .option('--seed <text>', 'decides what is edited, restarted and killed', '1')
    .option('--program <file>', 'the daemon to run, an executable file, instead of the one that is built for the soak')

export interface AccountOptions {
  readonly agents: number
  readonly minutes: number
  readonly rate: number
  readonly size: number
  readonly period: number
  readonly json?: true
}

export const accountCommand = (): Command =>
  toolCommand('account', 'Accounts for the events of many agents over three real daemons while workers are killed and drained.')
    .option('--agents <count>', 'agents of our own, which enrol through every node', numberArgument(3, 100_000, true), 1_000)
    .option('--minutes <count>', 'how long it runs', numberArgument(0.1, 100_000, false), 10)
    .option('--rate <events>', 'events per second and agent', numberArgument(0.01, 1_000, false), 2)
    .option('--size <bytes>', 'size of an event', numberArgument(1, 60_000, true), 300)
    .option('--period <seconds>', 'time between two kills; a worker is drained in every other', numberArgument(10, 100_000, false), 60)
    .option('--json', 'print the account as JSON')
    .addHelpText('after', '\nExample:\n  npm run account -- --agents 1000 --minutes 10\n')

export interface BalancingOptions {
  readonly agents: number
  readonly rate: number
  readonly size: number
  readonly json?: true
}

export const balancingCommand = (): Command =>
  toolCommand(
    'balancing',
    'Runs agents over three real nodes behind a real HAProxy, which the master drives through its runtime socket, while a fourth node joins.',
  )
    .option('--agents <count>', 'agents of our own, which enrol and report through HAProxy', numberArgument(4, 10_000, true), 1_000)
    .option('--rate <events>', 'events per second and agent', numberArgument(0.01, 1_000, false), 2)
    .option('--size <bytes>', 'size of an event', numberArgument(1, 60_000, true), 300)
    .option('--json', 'print the figures as JSON')
    .addHelpText('after', '\nExample:\n  npm run balancing -- --agents 1000\n')

export interface FuzzOptions {
  readonly inputs: number
  readonly seed?: string
}

export const fuzzCommand = (): Command =>
  toolCommand('fuzz', 'Feeds mutated and arbitrary inputs to the parsers of what agents and strangers send.')
    .usage('-- [options] [NAME…]')
    .argument('[names...]', 'parsers whose names contain one of these; all of them when left out')
    .option('--inputs <count>', 'inputs for each parser', numberArgument(1, 1_000_000_000, true), 100_000)
    .option('--seed <text>', 'decides the inputs')
