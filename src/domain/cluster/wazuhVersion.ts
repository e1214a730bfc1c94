/** The version of Wazuh that a node serves: what agents, Wazuh's tools and the nodes of a mixed cluster compare. */

/** Where no manager is installed. */
export const servedWazuhVersion = '4.14.7'

/** As the version of an agent or of the manager is shown: `Wazuh v4.14.7`. */
export const wazuhVersionText = (version: string): string => `Wazuh v${version}`

const inControlScript = /^VERSION="v?(\d{1,3}\.\d{1,3}\.\d{1,3})"\r?$/m

/** The version of a manager, from its program bin/wazuh-control; undefined where it does not say one. */
export const versionOfControlScript = (script: string): string | undefined => inControlScript.exec(script)?.[1]

const numbersOf = (version: string): readonly number[] =>
  /(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?/
    .exec(version)
    ?.slice(1)
    .map((part) => Number(part ?? 0)) ?? []

/** Whether `Wazuh v4.9.2` is lower than another; what is not a version is not. */
export const isLowerVersion = (version: string, other: string): boolean => {
  const [numbers, others] = [numbersOf(version), numbersOf(other)]
  const at = numbers.findIndex((number, index) => number !== others[index])
  return at >= 0 && (numbers[at] ?? 0) < (others[at] ?? 0)
}
