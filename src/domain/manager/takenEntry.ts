/** An answer of wazuh-db as the journal keeps it, with the times without which its keep-alives mean nothing. */

export interface TakenEntry {
  /** By the machine's clock: when it was taken, and when the answer before it was; 0 when that is not known. */
  readonly takenMs: number
  readonly sinceMs: number
  /** As wazuh-db said it. */
  readonly text: string
}

export const printTakenEntry = ({ sinceMs, takenMs, text }: TakenEntry): string => `${takenMs} ${sinceMs} ${text}`

const entryShape = /^(\d{1,16}) (\d{1,16}) /

/** Undefined for anything else, such as what a disk made of one. */
export const parseTakenEntry = (entry: string): TakenEntry | undefined => {
  const found = entryShape.exec(entry)
  return found ? { takenMs: Number(found[1]), sinceMs: Number(found[2]), text: entry.slice(found[0].length) } : undefined
}
