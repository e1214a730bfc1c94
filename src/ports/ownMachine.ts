/** The machine of a node, and the files that the node is configured by, as they are now. */
export interface OwnMachine {
  readonly timeZone: string
  /** Of the time zone, at this time. */
  utcOffsetMinutes(nowMs: number): number
  /** What is wrong with the files, as `wazuh-clusterd -t` says it; never the value of a key. */
  configurationMistakes(): readonly string[]
}
