/** `show info` of HAProxy's runtime socket: lines of `Name: value`. */

const versionPattern = /^Version: ([\x21-\x7e]{1,64})$/m

/** The version of HAProxy, where it says so: the answer of a program that is not HAProxy has none. */
export const versionInInfo = (text: string): string | undefined =>
  text.startsWith('Name: HAProxy\n') ? versionPattern.exec(text)?.[1] : undefined
