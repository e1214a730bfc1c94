/** What config.yml says, as it is written: nothing is checked yet but its structure. Also what is wrong in it, with its line. */

export const components = ['indexer', 'server', 'dashboard'] as const
export type Component = (typeof components)[number]

/** Sections of `nodes`; Wazuh 5 has `manager` for `server`. */
export const sections = ['indexer', 'server', 'manager', 'dashboard'] as const
export type Section = (typeof sections)[number]

export const componentOf = (section: Section): Component => (section === 'manager' ? 'server' : section)

/** A value and where it stands. */
export interface Written {
  readonly text: string
  readonly line: number
}

export interface WrittenNode {
  readonly section: Section
  readonly name: Written
  /** Of `ip:`, which may stand several times or have a list; in 4.x DNS names too. */
  readonly ips: readonly Written[]
  readonly dns: readonly Written[]
  readonly types: readonly Written[]
}

export interface ConfigFinding {
  readonly line: number | undefined
  /** Wazuh's own, where it has one. */
  readonly sentence: string
  /** What to do about it, or what more is known. */
  readonly detail?: string
}

export interface ConfigFindings {
  readonly mistakes: readonly ConfigFinding[]
  readonly warnings: readonly ConfigFinding[]
}

/** `The IP 8.8.8.8 is public. (config.yml, line 5: …)` */
export const findingText = (file: string, { detail, line, sentence }: ConfigFinding): string => {
  const place = line === undefined ? file : `${file}, line ${line}`
  return `${sentence} (${detail === undefined ? place : `${place}: ${detail}`})`
}
