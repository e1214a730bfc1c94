/** What the line of an agent that enrols says, before anything of it is judged. Texts have one character a byte, as agents send them. */

/** In their order in a line; as the error names them. */
export const fieldNames = ['version', 'group', 'IP', 'key'] as const

export type FieldName = (typeof fieldNames)[number]

export interface RequestFields {
  readonly name: string
  readonly version?: string
  /** Separated by commas. */
  readonly groups?: string
  readonly ip?: string
  readonly keyHash?: string
  /** The field whose closing quote is missing: nothing after it was read. */
  readonly unterminated?: FieldName
}
