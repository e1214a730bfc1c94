/** What `muster` asks of the machine, one system call at a time: a test ends the program between any two of them. */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'

export interface RanCommand {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface ManagerMachine {
  readonly fs: typeof fs
  /** Undefined where there is no such program. */
  run(program: string, args: readonly string[]): RanCommand | undefined
}

/** dpkg-divert and dpkg-query are through in milliseconds. */
const commandMsMax = 60_000

export const realMachine: ManagerMachine = {
  fs,
  run: (program, args) => {
    const options = { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' }, timeout: commandMsMax } as const
    const { error, status, stderr, stdout } = spawnSync(program, args, options)
    if (error && 'code' in error && error.code === 'ENOENT') return undefined
    return { code: status ?? 1, out: stdout, err: error ? error.message : stderr.trim() }
  },
}
