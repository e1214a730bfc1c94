/** Commands of HAProxy's runtime socket that change servers. Each is one line: `;` stands between those that are carried out together. */

/** A server of a backend, as commands name it. */
export interface ServerPath {
  readonly backend: string
  readonly name: string
}

/** What HAProxy takes for the name of a backend or a server: nothing in it ends a command or begins another one. */
const namePattern = /^[A-Za-z0-9_.:-]{1,128}$/

export const isBalancerName = (name: string): boolean => namePattern.test(name)

const pathOf = ({ backend, name }: ServerPath): string => `${backend}/${name}`

/**
 * How servers are checked: each second, back after one success, given up after 6 s, when agents have had the time to leave a node that
 * stops (drain_time). Then their sessions end, so that they go elsewhere.
 */
export const serverChecks = { interMs: 1_000, fall: 6, rise: 1 } as const

/** All of them, because servers that are added while HAProxy runs take nothing from `default-server`. */
const serverOptions = `check inter ${serverChecks.interMs}ms fall ${serverChecks.fall} rise ${serverChecks.rise} on-marked-down shutdown-sessions`

/** @param address of an IP */
export const addCommand = (path: ServerPath, address: string, port: number): string =>
  `add server ${pathOf(path)} ${address.includes(':') ? `[${address}]` : address}:${port} ${serverOptions};${readyCommand(path)}`

export const readyCommand = (path: ServerPath): string => `enable health ${pathOf(path)};${stateCommand(path, 'ready')}`

export const stateCommand = (path: ServerPath, state: 'ready' | 'drain'): string => `set server ${pathOf(path)} state ${state}`

/** Its sessions end. It may have to be asked again until the last of them is gone. */
export const removeCommand = (path: ServerPath): string =>
  `set server ${pathOf(path)} state maint;shutdown sessions server ${pathOf(path)};del server ${pathOf(path)}`

export const statesCommand = (backend: string): string => `show servers state ${backend}`
export const statCommand = (backend: string): string => `show stat ${backend} 4 -1`
export const infoCommand = 'show info'

/** What HAProxy answers to commands that change something: sentences, and nothing for success where it has no other word. */
export const sentencesIn = (answer: string): readonly string[] =>
  answer
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

export const answers = {
  added: 'New server registered.',
  removed: 'Server deleted.',
  serverMissing: 'No such server.',
  backendMissing: "Can't find backend.",
  hasSessions: 'Server still has connections attached to it',
  notDynamic: 'Backend must use a dynamic load balancing to support dynamic servers.',
  denied: 'Permission denied',
} as const
