/** Which agents' versions a manager serves: only major and minor count, read as leniently as Wazuh reads them. */

export interface MajorMinor {
  readonly major: number
  readonly minor: number
}

const versionCharsMax = 9

/** As C's atoi: the digits at the start, 0 without any. */
const numberAtStart = (text: string): number => Number(/^\s*[+-]?\d+/.exec(text)?.[0] ?? 0)

/** Of `v4.14.7`, `Wazuh v4.14.7` or `4.14`; what is not a version is 0.0, which every manager serves. */
export const majorMinor = (version: string): MajorMinor => {
  const start = version.slice(0, versionCharsMax)
  const [major = '', minor = ''] = start
    .slice(start.indexOf('v') + 1)
    .split('.')
    .filter((part) => part !== '')
  return { major: numberAtStart(major), minor: numberAtStart(minor) }
}

/** Whether an agent's version is higher than the manager's. */
export const isHigherVersion = (agent: string, manager: string): boolean => {
  const a = majorMinor(agent)
  const m = majorMinor(manager)
  return a.major === m.major ? a.minor > m.minor : a.major > m.major
}

/** What an agent of a higher version is answered, as Wazuh writes it. */
export const higherVersionText = 'Agent version must be lower or equal to manager version'
