/** A row of the table: one target of the project, and the figures that say whether it is met. */
import type { Workshop } from './workshop.js'

/** Empty for a plain number. */
export type Unit = '/s' | 'MB/s' | 's' | 'ms' | 'MB' | 'KB' | 'bytes' | '%' | ''

export interface Figure {
  /** Which of the row's figures this is; empty when the row has only one. */
  readonly what: string
  readonly measured: number
  readonly unit: Unit
  /** What the figure is compared with: something else measured in the same run, or a fixed limit. */
  readonly beside: { readonly peer: string; readonly value: number } | { readonly limit: number }
  readonly target: {
    readonly bound: 'atLeast' | 'atMost'
    /** Of the peer's value; 1 with a limit. */
    readonly factor: number
  }
  /** The same figure for Wazuh's daemon on such a machine. */
  readonly wazuh?: string
  /** What else a reader should know: how it was measured, and what else was seen. */
  readonly note?: string
}

export interface Row {
  readonly name: string
  /** As the project states it. */
  readonly target: string
  /** Takes over a minute: left out unless it is asked for. Its name ends with `(slow)`. */
  readonly isSlow?: true
  readonly run: (workshop: Workshop) => Promise<readonly Figure[]>
}

/** Thrown by a row that cannot be measured on this machine; the message is a plain sentence that says why. */
export class NotMeasurable extends Error {}

const besideValue = ({ beside }: Figure): number => ('limit' in beside ? beside.limit : beside.value)

/** 0 where nothing is allowed, and there is nothing. */
export const ratioOf = (figure: Figure): number => (figure.measured === 0 ? 0 : figure.measured / besideValue(figure))

export const isMet = (figure: Figure): boolean =>
  figure.target.bound === 'atLeast' ? ratioOf(figure) >= figure.target.factor : ratioOf(figure) <= figure.target.factor

export const atMost = (limit: number): Pick<Figure, 'beside' | 'target'> => ({
  beside: { limit },
  target: { bound: 'atMost', factor: 1 },
})

export const atLeast = (limit: number): Pick<Figure, 'beside' | 'target'> => ({
  beside: { limit },
  target: { bound: 'atLeast', factor: 1 },
})
